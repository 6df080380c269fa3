internal import Core
internal import SQLLineage
internal import Storage

// Incremental builds. An incremental table promises that a row depends on input rows around its own moment only:
// `lookback` before, `lookahead` after. From what changed in the inputs follows the earliest moment whose rows can
// be others than they stand; they are computed again over the inputs from there less the lookback on.
//
// The promise is put to the proof at each build: rows of up to a day before that moment are computed as well, and
// must come out as they stand. If they do not, the table is built whole and the report says in which columns.

extension Lake {
    enum PartialBuild {
        case done(BuildReport)
        /// Why the table must be built whole; `nil` when that is nothing to tell.
        case whole(String?)
    }

    /// How much before the new part is computed again and compared, in seconds.
    private static let audited = 86_400

    func buildPart(
        _ planned: PlannedTransform, _ incremental: Transform.Incremental, on current: TableReference,
        parents: [TableReference], _ martlet: [String: JSONValue]
    ) throws -> PartialBuild {
        let transform = planned.transform
        let table = table(transform.table)
        let snapshot = try snapshot(of: transform.table, at: current.version)
        guard let info = snapshot.commitInfo?["martlet"],
            let promised = info["definition"]?.text, definitions(of: transform).contains(promised),
            let before = recordedParents(info), let fields = try snapshot.metadata?.fields(), !snapshot.files.isEmpty
        else { return .whole(nil) }
        let change: Timestamp
        switch try earliestChange(planned, from: before, to: parents) {
        case .from(let moment): change = moment
        case .whole(let why): return .whole(why)
        }
        guard change.microseconds.magnitude < 1 << 62 else { return .whole("a moment in its inputs is infinite") }
        let from = change.adding(seconds: -incremental.lookahead)
        // A table by days compares whole days, so their inputs begin with the day.
        let auditFrom = from.adding(seconds: -Self.audited).startOfDay
        let seen = auditFrom.adding(seconds: -incremental.lookback)
        var inputs: [TableName: [String]] = [:]
        for parent in parents { inputs[parent.name] = try files(of: parent.name, at: parent.version) }
        var query = transform.query(over: inputs, inRowOrder: planned.analysis.orderSensitive)
        for (name, moment) in planned.moments {
            query.since[name] = .init(column: moment.column, moment: seen, isNullable: moment.isNullable)
        }
        let slice = try engine.materialise(
            SliceRequest(
                query: query, by: incremental.by, from: from, auditFrom: auditFrom,
                files: snapshot.files.map { table.path(of: $0) }, fields: fields, folder: table.folder,
                fileID: context.newID()))
        guard let slice else { return .whole("its columns changed") }
        guard slice.auditDifferences.isEmpty else {
            let columns = slice.auditDifferences.prefix(3).joined(separator: ", ")
            return .whole(
                "rows before \(from.minute) came out otherwise (\(columns)): lookback or lookahead is too short")
        }
        return .done(try commit(slice, of: planned, on: current, martlet))
    }

    private func commit(
        _ slice: Slice, of planned: PlannedTransform, on current: TableReference, _ martlet: [String: JSONValue]
    ) throws -> BuildReport {
        let name = planned.transform.table
        let table = table(name)
        var hash = try runningHash(of: name, at: current.version) - slice.leaving
        if let written = slice.written { hash = hash + written.hash }
        let version = try commit(name) { latest in
            guard let latest, latest.version == current.version else {
                throw MartletError(
                    .conflict, "lake.concurrent-write", "Another program wrote \(name) at the same time.",
                    remedy: "Run the command again; what is up to date is skipped.")
            }
            let now = context.now().milliseconds
            let paths = Dictionary(latest.files.map { (table.path(of: $0), $0.path) }) { first, _ in first }
            var actions = [
                commitInfo("WRITE", martlet.merging(["contentHash": .text(hash.description)]) { $1 })
            ]
            for (old, _) in slice.replaced {
                actions.append(
                    DeltaAction(remove: DeltaRemove(path: paths[old] ?? Disk.name(of: old), deletionTimestamp: now)))
            }
            for case let kept? in slice.replaced.map(\.kept) { actions.append(try add(kept, to: table)) }
            if let written = slice.written { actions.append(try add(written, to: table)) }
            return actions
        }
        return BuildReport(
            table: name, version: version ?? 0, rows: hash.rows, skipped: false, computed: slice.written?.rows ?? 0)
    }

    private enum Change {
        case from(Timestamp)
        case whole(String?)
    }

    /// The earliest moment at which the inputs differ from what the table was made from.
    private func earliestChange(
        _ planned: PlannedTransform, from before: [TableName: Int], to parents: [TableReference]
    ) throws -> Change {
        guard Set(before.keys) == Set(parents.map(\.name)) else { return .whole(nil) }
        var earliest: Timestamp?
        for parent in parents {
            guard let version = before[parent.name], version != parent.version else { continue }
            guard let was = try unlessGone({ try reference(to: parent.name, at: version).hash }) else {
                return .whole("version \(version) of \(parent.name) cannot be read any more")
            }
            if was == parent.hash { continue }
            guard let moment = planned.moments[parent.name] else {
                return .whole("\(parent.name) changed, and it has no event time")
            }
            guard let old = try unlessGone({ try files(of: parent.name, at: version) }) else {
                return .whole("version \(version) of \(parent.name) cannot be read any more")
            }
            let new = try files(of: parent.name, at: parent.version)
            switch try engine.earliestChange(in: moment.column, from: old, to: new) {
            case .none: continue
            case .unknown: return .whole("rows of \(parent.name) changed whose \(moment.column) is not known")
            case .from(let change): earliest = earliest.map { min($0, change) } ?? change
            }
        }
        return earliest.map { .from($0) } ?? .whole(nil)
    }

    /// `nil` for an old version that was cleaned or vacuumed away; what else goes wrong is thrown.
    private func unlessGone<T>(_ read: () throws -> T) throws -> T? {
        do { return try read() } catch let error as MartletError {
            guard ["lake.no-table", "lake.no-version", "lake.vacuumed", "lake.missing-file"].contains(error.code) else {
                throw error
            }
            return nil
        }
    }

    /// The versions a table was made from, as its commit says.
    private func recordedParents(_ info: JSONValue) -> [TableName: Int]? {
        guard let list = info["parents"]?.list else { return nil }
        var versions: [TableName: Int] = [:]
        for case let text? in list.map(\.text) {
            let parts = text.split(separator: "@")
            guard parts.count == 2, let name = TableName(String(parts[0])), let version = Int(parts[1]) else {
                return nil
            }
            versions[name] = version
        }
        return versions
    }
}

extension Timestamp {
    /// The first moment of its day (UTC).
    var startOfDay: Timestamp {
        let day: Int64 = 86_400_000_000
        let (start, isBeyond) = microseconds.subtractingReportingOverflow(((microseconds % day) + day) % day)
        return Timestamp(microseconds: isBeyond ? .min : start)
    }
}
