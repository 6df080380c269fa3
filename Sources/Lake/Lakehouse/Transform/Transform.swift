package import Core
package import SQLLineage
internal import Storage

/// One SELECT in one file that makes one table.
package struct Transform: Sendable {
    /// Silver or gold table that the SELECT makes, named after its file.
    package let table: TableName
    /// Path of the SQL file, for messages.
    package let file: String
    /// Text of the SQL file: one SELECT.
    package let sql: String
    /// Settings for incremental builds; `nil` when the table is always built whole.
    package var incremental: Incremental?

    /// The promises that allow a part of a table to be built alone.
    package struct Incremental: Sendable, Equatable {
        /// Column of the table with a row's event time.
        package let by: String
        /// Largest age in seconds of input rows, before a row's time, that the row depends on.
        package let lookback: Int
        /// Largest distance in seconds of input rows, after a row's time, that the row depends on.
        package let lookahead: Int

        package init(by: String, lookback: Int = 0, lookahead: Int = 0) {
            self.by = by
            self.lookback = lookback
            self.lookahead = lookahead
        }
    }

    package init(table: TableName, file: String, sql: String) {
        self.table = table
        self.file = file
        self.sql = sql
    }
}

extension Transform {
    /// The SELECT in the form that lineage reads.
    package var lineageQuery: ProjectLineage.TableQuery { .init(table: table, sql: sql, file: file) }
}

/// A transform with the analysis of its SQL.
package struct PlannedTransform: Sendable {
    /// The transform as the project defines it, or a model version stores it.
    package let transform: Transform
    /// The tables that its SELECT reads, and whether row order matters.
    package let analysis: QueryAnalysis
    /// The event-time columns of the tables it reads, where they have one.
    package var moments: [TableName: InputMoment]

    /// The event-time column of an input table.
    package struct InputMoment: Sendable, Equatable {
        /// Name of the column: the contract's `event_time`, or `incremental.by`.
        package let column: String
        /// Whether rows of the table may lack the time.
        package let isNullable: Bool

        package init(column: String, isNullable: Bool) {
            self.column = column
            self.isNullable = isNullable
        }
    }

    package init(transform: Transform, analysis: QueryAnalysis, moments: [TableName: InputMoment] = [:]) {
        self.transform = transform
        self.analysis = analysis
        self.moments = moments
    }
}

/// Orders transforms so that every table is built after those it reads.
///
/// ```swift
/// let ordered = try TransformPlan.order(planned, sources: Set(project.sources.map { $0.name.lowercased() }))
/// ```
package enum TransformPlan {
    /// Sorts transforms topologically.
    /// - Parameter sources: names of the bronze tables that exist by contract.
    /// - Throws: `transform.unknown-table` and `transform.cycle`, naming file and tables.
    package static func order(_ planned: [PlannedTransform], sources: Set<String>) throws -> [PlannedTransform] {
        var byName: [TableName: PlannedTransform] = [:]
        for item in planned { byName[item.transform.table] = item }
        for item in planned {
            for table in item.analysis.tables {
                let isKnown = table.layer == .bronze ? sources.contains(table.name) : byName[table] != nil
                if !isKnown { throw unknown(table, in: item.transform, known: byName.keys.map { $0 }, sources) }
                if table.layer > item.transform.table.layer {
                    throw MartletError(
                        .input, "transform.layer",
                        "\(item.transform.table) reads \(table): data flows bronze → silver → gold only.",
                        at: .init(file: item.transform.file))
                }
            }
        }
        var ordered: [PlannedTransform] = []
        var done: Set<TableName> = []
        var path: [TableName] = []
        func visit(_ name: TableName) throws {
            guard let item = byName[name], !done.contains(name) else { return }
            if let start = path.firstIndex(of: name) {
                let cycle = (path[start...] + [name]).map(\.description).joined(separator: " → ")
                throw MartletError(
                    .input, "transform.cycle", "These tables read each other in a circle: \(cycle).",
                    at: .init(file: item.transform.file),
                    remedy: "Break the circle: one of them must not read the next.")
            }
            path.append(name)
            for parent in item.analysis.tables.sorted() { try visit(parent) }
            path.removeLast()
            done.insert(name)
            ordered.append(item)
        }
        for name in byName.keys.sorted() { try visit(name) }
        return ordered
    }

    private static func unknown(
        _ table: TableName, in transform: Transform, known: [TableName], _ sources: Set<String>
    ) -> MartletError {
        let all = known.map(\.description) + sources.map { "bronze.\($0)" }
        let near = Spelling.nearest(to: table.description, among: all)
        let have = all.sorted().joined(separator: ", ")
        return MartletError(
            .input, "transform.unknown-table", "There is no table \(table).", at: .init(file: transform.file),
            remedy: near.map { "Did you mean \($0)?" } ?? "The project has: \(have).")
    }
}

/// Result of building one table.
package struct BuildReport: Sendable, Encodable {
    /// Layer and name of the built table.
    package var table: TableName
    /// Version of the table after the build; the present one when it was skipped.
    package var version: Int
    /// Number of rows of the whole table at that version.
    package var rows: Int
    /// Whether the build was skipped because nothing it depends on had changed.
    package var skipped: Bool
    /// Number of rows computed when only a part was built.
    package var computed: Int?
    /// Why an incremental table was built whole.
    package var whole: String?
}

extension Lake {
    /// Builds one table unless its SQL and its inputs' content are unchanged.
    package func build(_ planned: PlannedTransform) throws -> BuildReport {
        let transform = planned.transform
        let parents = try planned.analysis.tables.sorted().map { try reference(to: $0) }
        let fingerprints = fingerprints(of: transform, parents: parents)
        let table = table(transform.table)
        let current = try table.exists ? reference(to: transform.table) : nil
        if let current, let made = current.fingerprint, fingerprints.contains(made) {
            return BuildReport(
                table: transform.table, version: current.version, rows: current.hash.rows, skipped: true)
        }
        try Disk.makeDirectory(table.folder)
        let martlet: [String: JSONValue] = [
            "fingerprint": .text(fingerprints[0]), "definition": .text(definitions(of: transform)[0]),
            "parents": .list(parents.map { .text("\($0.name)@\($0.version)") }), "engine": .text(engine.identity),
        ]
        var whole: String?
        if let incremental = transform.incremental, let current {
            switch try buildPart(planned, incremental, on: current, parents: parents, martlet) {
            case .done(let report): return report
            case .whole(let why): whole = why
            }
        }
        let file = "\(table.folder)/part-\(context.newID()).parquet"
        let written = try materialise(planned, parents: parents, into: file)
        try Failpoint.reach("transform.materialised")
        let version = try commit(transform.table) { current in
            try replacing(
                current, by: written, in: table,
                martlet.merging(["contentHash": .text(written.hash.description)]) { $1 })
        }
        return BuildReport(
            table: transform.table, version: version ?? 0, rows: written.rows, skipped: false, whole: whole)
    }

    /// Whether a table was built by this transform from its inputs' present content.
    package func isUpToDate(_ planned: PlannedTransform) throws -> Bool {
        let name = planned.transform.table
        guard try table(name).exists, try planned.analysis.tables.allSatisfy({ try table($0).exists }) else {
            return false
        }
        let parents = try planned.analysis.tables.sorted().map { try reference(to: $0) }
        guard let made = try reference(to: name).fingerprint else { return false }
        return fingerprints(of: planned.transform, parents: parents).contains(made)
    }

    /// Runs a transform over given versions of its inputs and writes the result to a file, without a commit.
    package func materialise(
        _ planned: PlannedTransform, parents: [TableReference], into file: String
    ) throws -> WrittenFile {
        var inputs: [TableName: [String]] = [:]
        for parent in parents { inputs[parent.name] = try files(of: parent.name, at: parent.version) }
        return try engine.materialise(
            planned.transform.query(over: inputs, inRowOrder: planned.analysis.orderSensitive), into: file)
    }

    /// What decides the rows of a table: its SQL and the content of its inputs. First as it is recorded, then as earlier
    /// programs did, which counted the engine's version in.
    private func fingerprints(of transform: Transform, parents: [TableReference]) -> [String] {
        let inputs = parents.map { "\($0.name)=\($0.hash)" }.joined(separator: "\n")
        return digests("\(transform.table)\n\(inputs)\n\(transform.sql)")
    }

    /// What must not change if a part is to fit the rest; first as it is recorded, then as earlier programs did.
    func definitions(of transform: Transform) -> [String] {
        let promise = transform.incremental.map { "\($0.by) \($0.lookback) \($0.lookahead)" } ?? ""
        return digests("\(transform.table)\n\(promise)\n\(transform.sql)")
    }

    private func digests(_ text: String) -> [String] {
        ["transform 2", engine.identity].map { Digest(of: "\($0)\n\(text)").hex }
    }
}

extension Transform {
    /// Returns the transform's query over these files, in the row order of its table.
    package func query(over inputs: [TableName: [String]], inRowOrder: Bool) -> Query {
        var query = Query(sql, file: file, inputs: inputs, inRowOrder: inRowOrder)
        query.orderedBy = incremental?.by
        return query
    }
}

extension Lake {
    /// Replaces a table's content with columns in memory.
    package func replace(
        _ name: TableName, with columns: [(name: String, column: LakeColumn)], fingerprint: Digest
    ) throws {
        let table = table(name)
        try Disk.makeDirectory(table.folder)
        let written = try engine.write(columns, into: "\(table.folder)/part-\(context.newID()).parquet")
        _ = try commit(name) { current in
            try replacing(
                current, by: written, in: table,
                ["fingerprint": .text(fingerprint.hex), "contentHash": .text(written.hash.description)])
        }
    }

    /// The actions that make one file a table's whole content.
    func replacing(
        _ current: DeltaSnapshot?, by written: WrittenFile, in table: DeltaTable, _ martlet: [String: JSONValue]
    ) throws -> [DeltaAction] {
        var actions = [commitInfo(current == nil ? "CREATE TABLE AS SELECT" : "WRITE", martlet)]
        actions += try schemaChange(current, to: written.fields)
        for file in current?.files ?? [] {
            actions.append(
                DeltaAction(
                    remove: DeltaRemove(
                        path: file.path, deletionTimestamp: context.now().milliseconds)))
        }
        actions.append(try add(written, to: table))
        return actions
    }
}
