internal import Core

/// The properties of labelled rows that a split depends on; one entry a row in every array.
package struct SplitRows: Sendable {
    /// Class of each row, 0 or 1 for a binary label; `nil` for labels without classes.
    package var classes: [UInt8]?
    /// The unique key of each row as text.
    package var keys: [String]
    /// The entity of each row, if the model declares a group.
    package var groups: [String]?
    /// Event time of each row in microseconds since 1970, if the model declares one.
    package var eventTimes: [Int64?]?

    package init(classes: [UInt8]?, keys: [String], groups: [String]? = nil, eventTimes: [Int64?]? = nil) {
        self.classes = classes
        self.keys = keys
        self.groups = groups
        self.eventTimes = eventTimes
    }
}

/// Deterministic assignment of rows to train, validation and test parts, and to folds.
///
/// ```swift
/// let parts = try Split.parts(of: rows, by: plan)
/// ```
///
/// Everything follows from `portableUniform(seed:key:)`, so that any tool with SHA-256 can rebuild a split.
package enum Split {
    /// Returns the part of every row. Throws when a part with a share is empty or has rows of one class only.
    package static func parts(of rows: SplitRows, by plan: SplitPlan) throws -> [SplitPart] {
        try plan.check()
        let unit = plan.by ?? (rows.groups == nil ? .key : .group)
        let parts: [SplitPart]
        switch plan.kind {
        case .hash:
            let units = try names(of: unit, in: rows)
            parts = uniforms(units, seed: plan.seed).map { u in
                u < plan.train ? .train : u < plan.train + plan.validation ? .validation : .test
            }
        case .stratified:
            try refuseGroups(unit, "stratified")
            parts = cut(ranks: stratifiedRanks(rows, seed: plan.seed), plan)
        case .time:
            try refuseGroups(unit, "time")
            parts = try cutByTime(rows, plan)
        }
        try check(parts, rows, plan)
        return parts
    }

    /// Returns the fold (0 ..< folds) of every row: within each class, rank by (u, key) modulo the number of folds.
    package static func stratifiedFolds(of rows: SplitRows, _ plan: CrossValidationPlan) throws -> [Int] {
        try plan.check()
        let folds = stratifiedRanks(rows, seed: plan.seed).map { $0.rank % plan.folds }
        try check(folds: folds, rows, plan)
        return folds
    }

    /// Returns the fold (0 ..< folds) of every row by its group: the integer part of u * folds.
    package static func groupFolds(of rows: SplitRows, _ plan: CrossValidationPlan) throws -> [Int] {
        try plan.check()
        let folds = uniforms(try names(of: .group, in: rows), seed: plan.seed).map {
            min(plan.folds - 1, Int($0 * Double(plan.folds)))
        }
        try check(folds: folds, rows, plan)
        return folds
    }

    /// Returns the portable uniform number of every name; each distinct name is digested once.
    package static func uniforms(_ names: [String], seed: Int) -> [Double] {
        var known: [ByteText: Double] = [:]
        known.reserveCapacity(names.count)
        return names.map { name in
            if let u = known[ByteText(name)] { return u }
            let u = portableUniform(seed: seed, key: name)
            known[ByteText(name)] = u
            return u
        }
    }
}

extension Split {
    private static func names(of unit: SplitPlan.Unit, in rows: SplitRows) throws -> [String] {
        switch unit {
        case .key: return rows.keys
        case .group:
            guard let groups = rows.groups else {
                throw MartletError(
                    .input, "split.no-group", "the split is by group, but the model declares no group",
                    remedy: "name the entity's column under group")
            }
            return groups
        }
    }

    private static func refuseGroups(_ unit: SplitPlan.Unit, _ kind: String) throws {
        guard unit == .key else {
            throw MartletError(
                .input, "split.group", "a \(kind) split cannot keep the rows of a group on one side",
                remedy: "use kind: hash, or accept the overlap with by: key")
        }
    }

    /// The rank of every row within its class, by (u, key), and the size of the class.
    private static func stratifiedRanks(_ rows: SplitRows, seed: Int) -> [(rank: Int, of: Int)] {
        let u = uniforms(rows.keys, seed: seed)
        var ranks = [(rank: Int, of: Int)](repeating: (0, 0), count: rows.keys.count)
        let classes = rows.classes ?? [UInt8](repeating: 0, count: rows.keys.count)
        for each in Set(classes).sorted() {
            let members = classes.indices.filter { classes[$0] == each }
                .sorted { u[$0] != u[$1] ? u[$0] < u[$1] : rows.keys[$0].precedes(inBytes: rows.keys[$1]) }
            for (rank, row) in members.enumerated() { ranks[row] = (rank, members.count) }
        }
        return ranks
    }

    private static func cut(ranks: [(rank: Int, of: Int)], _ plan: SplitPlan) -> [SplitPart] {
        ranks.map { rank, size in
            let trainEnd = Int((Double(size) * plan.train).rounded())
            let validationEnd = Int((Double(size) * (plan.train + plan.validation)).rounded())
            return rank < trainEnd ? .train : rank < validationEnd ? .validation : .test
        }
    }

    /// Rows in the order (event time, key), and the time of each row.
    static func inTimeOrder(_ rows: SplitRows) throws -> (order: [Int], times: [Int64]) {
        guard let times = rows.eventTimes else {
            throw MartletError(
                .input, "split.no-event-time", "the split is by time, but the model declares no event time",
                remedy: "name the time's column under event_time")
        }
        let known = times.compactMap(\.self)
        guard known.count == times.count else {
            throw MartletError(
                .input, "split.event-time-missing",
                "\(times.count - known.count) labelled rows have no event time, which a time split needs",
                remedy: "drop these rows in the gold transform, or split by hash")
        }
        let order = known.indices.sorted {
            known[$0] != known[$1] ? known[$0] < known[$1] : rows.keys[$0] < rows.keys[$1]
        }
        return (order, known)
    }

    /// A cut that moves later until it parts two times.
    static func settled(_ cut: Int, _ order: [Int], _ times: [Int64], upTo end: Int? = nil) -> Int {
        var cut = cut
        while cut > 0, cut < end ?? order.count, times[order[cut]] == times[order[cut - 1]] { cut += 1 }
        return cut
    }

    private static func cutByTime(_ rows: SplitRows, _ plan: SplitPlan) throws -> [SplitPart] {
        let (order, times) = try inTimeOrder(rows)
        func cut(_ share: Double) -> Int { settled(Int((Double(order.count) * share).rounded()), order, times) }
        let trainEnd = cut(plan.train)
        let validationEnd = plan.validation > 0 ? cut(plan.train + plan.validation) : trainEnd
        var parts = [SplitPart](repeating: .test, count: order.count)
        for (place, row) in order.enumerated() where place < validationEnd {
            parts[row] = place < trainEnd ? .train : .validation
        }
        return parts
    }

    private static func check(_ parts: [SplitPart], _ rows: SplitRows, _ plan: SplitPlan) throws {
        for part in SplitPart.allCases {
            if part == .validation, plan.validation == 0 { continue }
            let members = parts.indices.filter { parts[$0] == part }
            try refuse(members, of: rows, "the \(part.name) part")
        }
    }

    private static func check(folds: [Int], _ rows: SplitRows, _ plan: CrossValidationPlan) throws {
        for fold in 0..<plan.folds {
            let members = folds.indices.filter { folds[$0] == fold }
            try refuse(members, of: rows, "fold \(fold + 1) of \(plan.folds)")
        }
    }

    /// Throws for a part without rows, or with rows of one class only.
    static func refuse(_ members: [Int], of rows: SplitRows, _ name: String) throws {
        guard let first = members.first else {
            throw MartletError(
                .input, "split.empty", "\(name) is empty: none of the \(rows.keys.count) labelled rows fell into it",
                remedy: "give it a larger share, use fewer folds, or bring more rows")
        }
        guard let classes = rows.classes else { return }
        guard members.contains(where: { classes[$0] != classes[first] }) else {
            throw MartletError(
                .input, "split.single-class",
                "\(name) has \(members.count) rows, all of them \(classes[first] == 0 ? "negative" : "positive")",
                remedy: "give it a larger share, use kind: stratified, or check the target's positive value")
        }
    }
}
