internal import Core
internal import Lakehouse
internal import Storage

/// Detects schema drift from the column names of a file.
struct HeaderDrift {
    let contract: Contract
    let header: [String]
    /// Which cell brings which contract column, under a right or a wrong name.
    private(set) var cells: [String: Int] = [:]
    /// Contract columns that the file must bring, and header names that the contract does not know, left over.
    private(set) var missing: [Contract.Column] = []
    private(set) var extra: [Int] = []

    init(_ contract: Contract, _ header: [String]) {
        self.contract = contract
        self.header = header
        var free = Set(header.indices.filter { !header[$0].isEmpty && header[$0] != "_synthetic" })
        var absent: [Contract.Column] = []
        for column in contract.columns {
            if let place = free.sorted().first(where: { column.headerNames.contains(header[$0]) }) {
                cells[column.name] = place
                free.remove(place)
            } else {
                absent.append(column)
            }
        }
        for column in absent {
            if let place = namesake(of: column, among: free.sorted()) {
                cells[column.name] = place
                free.remove(place)
            } else if !column.optional {
                missing.append(column)
            }
        }
        extra = free.sorted()
    }

    /// How a column that was found under another name is named in the contract.
    func expectedName(_ column: Contract.Column) -> String { column.headerNames[0] }

    /// The unit that the contract expects a column in.
    static func unit(_ column: Contract.Column) -> String? {
        column.unit.flatMap { MeasurementUnit.known($0) }
            ?? column.headerNames.lazy.compactMap { MeasurementUnit.unit(inName: $0) }.first
    }

    /// A column under a name that differs in letter case, unit, blanks or a few letters.
    private func namesake(of column: Contract.Column, among places: [Int]) -> Int? {
        let names = column.headerNames + [column.name]
        if let place = places.first(where: { place in names.contains { $0.lowercased() == header[place].lowercased() } }
        ) {
            return place
        }
        let stems = Set(names.map { MeasurementUnit.stem($0) })
        if let place = places.first(where: { stems.contains(MeasurementUnit.stem(header[$0])) }) { return place }
        let near = names.lazy.compactMap { Spelling.nearest(to: $0, among: places.map { header[$0] }) }.first
        if let near { return places.first { header[$0] == near } }
        // "seen" for "seen_at", "machine" for "machine_id": the words of one name are all in the other.
        return places.first { place in
            let words = Self.words(header[place])
            return names.contains { name in
                let own = Self.words(name)
                return !words.isEmpty && (words.isSubset(of: own) || own.isSubset(of: words))
                    && words.intersection(own).contains { $0.count > 3 }
            }
        }
    }

    private static func words(_ name: String) -> Set<String> {
        Set(name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
    }

    /// Gives a left-over column to a missing one whose values it has.
    mutating func pair(_ column: Contract.Column, with place: Int) {
        cells[column.name] = place
        missing.removeAll { $0.name == column.name }
        extra.removeAll { $0 == place }
    }

    /// Drifts of names alone; `units` are the columns whose values already say that they are in another unit.
    func drifts(units: Set<String>, evidence: [String: String]) -> [SchemaDrift] {
        var drifts: [SchemaDrift] = []
        for column in contract.columns {
            guard let place = cells[column.name], !column.headerNames.contains(header[place]) else { continue }
            let name = header[place]
            let expected = expectedName(column)
            let line = contract.place(of: column.name)
            let from = "from: [\((column.headerNames + [name]).map { "\"\($0)\"" }.joined(separator: ", "))]"
            if units.contains(column.name) { continue }
            if column.headerNames.contains(where: { $0.lowercased() == name.lowercased() }) {
                drifts.append(
                    SchemaDrift(
                        .headerCase, column: column.name, found: name,
                        evidence: "the contract expects \"\(expected)\"; names are case-sensitive",
                        suggestion: "\(line): \(from)"))
            } else if let unit = Self.unit(column), let other = MeasurementUnit.unit(inName: name), unit != other {
                drifts.append(
                    SchemaDrift(
                        .unit, column: column.name, found: name,
                        evidence: "the name says \(other), the contract expects \"\(expected)\" in \(unit)",
                        suggestion: "\(line): ask for \(unit), or declare a source of its own for files in \(other)"))
            } else {
                drifts.append(
                    SchemaDrift(
                        .renamed, column: column.name, found: name,
                        evidence: evidence[column.name] ?? "the contract expects \"\(expected)\"; the names are alike",
                        suggestion: "\(line): \(from)"))
            }
        }
        for column in missing {
            drifts.append(
                SchemaDrift(
                    .missing, column: column.name, evidence: "no column of the file has this name or such values",
                    suggestion: "\(contract.place(of: column.name)): optional: true, if files may lack it"))
        }
        for place in extra {
            drifts.append(
                SchemaDrift(
                    .new, found: header[place], evidence: "the contract does not know it; it is left out",
                    suggestion: "add it under columns: of \(Disk.name(of: contract.file)) to take it"))
        }
        let order = contract.columns.compactMap { cells[$0.name] }
        if order != order.sorted() {
            let column = zip(order, order.dropFirst()).first { $0 > $1 }?.1
            drifts.append(
                SchemaDrift(
                    .order, found: column.map { header[$0] },
                    evidence: "columns do not stand in the contract's order; this alone does no harm"))
        }
        return drifts
    }
}
