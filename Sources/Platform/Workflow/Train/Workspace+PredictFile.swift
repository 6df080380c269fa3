internal import Core
package import Lakehouse
package import Projects
package import Registry
internal import SQLLineage
internal import SourceFormats
internal import Storage
internal import Training

// Scores a file of raw records by the same contract and the same SQL that made the training table (7): the
// records join what the lake already knows of their entities, in a scratch folder; the lake itself is not touched.

/// The predictions for a file's records, and the records without one.
package struct FilePrediction {
    /// The model version that gave the scores.
    package var loaded: LoadedVersion
    /// The scored rows: rows of the model's table that the file's records lead to.
    package var table: ScoredTable
    /// Number of data rows in the file, malformed lines included.
    package var rowsRead: Int
    /// Number of rows that violate the contract and so have no score.
    package var rejected: Int
    /// Violations of the contract by column and rule, most rows first.
    package var breaches: [Acceptance.Breach]
    /// Number of accepted records that the project's SQL excluded.
    ///
    /// `nil` where rows of the model's table are no records.
    package var leftOut: Int?
    /// Rows without a score, as far as they can be identified: rejected ones by number, then those the SQL excluded.
    package var unscored: [Unscored]
    /// Contract columns that the file lacks and the model does not need.
    package var spared: [String]
    /// Whether the records were processed without the lake's earlier rows (sources without a key).
    package var alone: Bool

    /// The scored rows.
    package var rows: [ScoredRow] { table.rows }

    /// A row without a score: its number if the contract rejected it, its key if the SQL excluded it.
    package struct Unscored: Sendable, Encodable {
        /// Data row in the file, from 1; `nil` when the contract accepted the row and the SQL excluded it.
        package var row: Int?
        /// Value of the model's key column as text; `nil` when the contract rejected the row.
        package var key: String?
        /// Why there is no score, as a phrase: "age: min 0", "the project's SQL leaves it out".
        package var reason: String
    }
}

extension Workspace {
    /// Scores the records of a file with a model, by the same contract and SQL as training.
    package func predict(
        file path: String, of source: Project.Source, by reference: ModelReference
    ) throws -> FilePrediction {
        let loaded = try load(reference)
        guard !loaded.blueprint.transforms.isEmpty else {
            throw MartletError(
                .input, "predict.no-sql",
                "\(loaded.specification.table) was not made by SQL of the project, so its rows cannot be made of a file.",
                remedy:
                    "Write transforms/\(loaded.specification.table.layer.rawValue)/\(loaded.specification.table.name).sql, "
                    + "or ask a server, which takes features: `martlet serve`.")
        }
        return try withScratch { folder in
            let bronze = TableName(.bronze, source.name)
            let spare = try spareColumns(loaded)[bronze] ?? []
            var contract = source.contract.sparing(spare)
            // A record that is known already is scored as the file has it.
            contract.onKeyConflict = .latestWins
            contract.maxRejected = 1
            let known = try lake.table(bronze).exists ? lake.files(of: bronze) : []
            let alone = contract.key.isEmpty
            let file = AcceptRequest.File(
                path: Disk.absolute(path), name: Disk.name(of: path), digest: try digest(of: path))
            let batch = try lake.engine.accept(
                AcceptRequest(
                    files: [file], contract: contract, format: source.format, existing: alone ? [] : known,
                    folder: folder, quarantineFolder: "\(folder)/quarantine", id: context.newID()))
            let acceptance = batch.files[0]
            let accepted = batch.accepted.map(\.path)
            guard acceptance.refusal == nil, acceptance.acceptedRows > 0 else {
                throw MartletError(
                    .input, "predict.refused",
                    "No record can be scored: "
                        + (acceptance.refusal
                            ?? (acceptance.rowsRead == 0
                                ? "the file has no rows"
                                : acceptance.rowsRead == 1
                                    ? "its only row breaks the contract"
                                    : "all \(grouped(acceptance.rowsRead)) rows break the contract"))
                        + describe(acceptance.breaches),
                    at: .init(file: Disk.name(of: path) == "standard input" ? "standard input" : path),
                    remedy: "Compare the file with the contract of \(source.name).")
            }
            let replaced = Set(batch.rewrites.map(\.old))
            let earlier =
                alone
                ? []
                : known.filter { !replaced.contains($0) }
                    + batch.rewrites.map(\.new).filter { $0.rows > 0 }.map(\.path)
            let table = try rebuild(loaded, bronze, earlier + accepted, in: folder, "with")
            let brought = try broughtKeys(loaded, bronze, accepted)
            let wanted = try wantedKeys(loaded, bronze, brought: brought, earlier: earlier, in: folder)
            let scored = try score(loaded, files: table, keys: wanted)
            var left: [FilePrediction.Unscored]?
            if contract.key == [loaded.specification.key], let brought {
                let done = Set(scored.rows.map { ByteText($0.key) })
                left = brought.filter { !done.contains(ByteText($0)) }
                    .map { .init(row: nil, key: $0, reason: "the project's SQL leaves it out") }
            }
            let header =
                !source.format.header
                ? nil : try? lake.engine.header(of: file.path, format: source.format)
            return FilePrediction(
                loaded: loaded, table: scored, rowsRead: acceptance.rowsRead, rejected: acceptance.rejectedRows,
                breaches: acceptance.breaches, leftOut: left?.count,
                unscored: try refused(batch.quarantined, of: source) + (left ?? []),
                spared: source.contract.columns.filter { column in
                    guard let header, spare.contains(column.name), !column.optional else { return false }
                    return !column.headerNames.contains { header.contains($0) }
                }.map(\.name),
                alone: alone)
        }
    }

    /// SHA-256 of a file: a key that the SQL makes of `_file` is then what it will be in the lake.
    private func digest(of path: String) throws -> Digest {
        var builder = DigestBuilder()
        try Disk.scan(path) { piece in
            builder.update(piece)
            return true
        }
        return builder.finish()
    }

    /// Resolves the file argument `-` to a temporary file with standard input's content.
    func withFile<T>(named name: String, _ body: (String) throws -> T) throws -> T {
        guard name == "-" else { return try body(name) }
        return try withScratch { folder in
            let path = "\(folder)/standard input"
            _ = try Disk.createDurably(path) { write in
                try Disk.scan("/dev/stdin") { piece in
                    try write(Array(piece))
                    return true
                }
            }
            return try body(path)
        }
    }

    /// The columns of each source that rows to be scored by a version may lack.
    private func spareColumns(_ loaded: LoadedVersion) throws -> [TableName: Set<String>] {
        let model = loaded.specification
        let planned = try plan(
            loaded.blueprint.transforms.map { item in
                var transform = Transform(table: item.table, file: item.file, sql: item.sql)
                transform.incremental = item.orderedBy.map { .init(by: $0) }
                return transform
            })
        return spareColumns(
            LeakCheck.Model(
                name: model.name, table: model.table, target: model.target, eventTime: model.eventTime, key: model.key,
                others: [], include: []),
            features: loaded.record.signature.columns.map(\.name), planned)
    }

    /// The rows that the contract refused, each with the first promise that it breaks.
    private func refused(_ file: WrittenFile?, of source: Project.Source) throws -> [FilePrediction.Unscored] {
        guard let file else { return [] }
        let table = TableName(.quarantine, source.name)
        let found = try lake.engine.texts(
            Query(
                """
                SELECT "row", first("column" ORDER BY "column" NULLS FIRST, rule), first(rule ORDER BY "column" NULLS FIRST, rule)
                FROM \(table) WHERE "row" IS NOT NULL GROUP BY "row" ORDER BY "row"
                """, inputs: [table: [file.path]]), limit: nil)
        return found.rows.map { cells in
            .init(
                row: cells[0].flatMap { Int($0) }, key: nil, reason: "\(cells[1] ?? "line"): \(cells[2] ?? "refused")")
        }
    }

    /// The keys of the model's table that the file itself brings; `nil` when its rows have no such column.
    private func broughtKeys(
        _ loaded: LoadedVersion, _ bronze: TableName, _ accepted: [String]
    ) throws -> [String]? {
        let key = loaded.specification.key
        let query = Query("SELECT * FROM \(bronze)", inputs: [bronze: accepted])
        guard try lake.engine.describe(query).contains(where: { $0.name == key }) else { return nil }
        return try lake.engine.columns(query, as: [(key, .text)], orderedBy: []).first?.texts.compactMap { $0 } ?? []
    }

    /// Which rows of the rebuilt table come from the file: those whose key the file itself brings, else those that
    /// the table would not have without it. `nil` is all of them.
    private func wantedKeys(
        _ loaded: LoadedVersion, _ bronze: TableName, brought: [String]?, earlier: [String], in folder: String
    ) throws -> ((String) -> Bool)? {
        if let brought {
            let brought = Set(brought.map(ByteText.init))
            return { brought.contains(ByteText($0)) }
        }
        if earlier.isEmpty { return nil }
        let key = loaded.specification.key
        let before = try rebuild(loaded, bronze, earlier, in: folder, "before")
        let table = loaded.specification.table
        let keys = try lake.engine.columns(
            Query("SELECT * FROM \(table)", inputs: [table: before]), as: [(key, .text)], orderedBy: [])
        let known = Set(keys.first?.texts.compactMap { $0.map(ByteText.init) } ?? [])
        return { !known.contains(ByteText($0)) }
    }

    /// The model's table, made from other bronze files by the SQL stored with the version.
    private func rebuild(
        _ loaded: LoadedVersion, _ bronze: TableName, _ files: [String], in folder: String, _ name: String
    ) throws -> [String] {
        var made: [TableName: [String]] = [bronze: files]
        for stored in loaded.blueprint.transforms {
            let analysis = try lake.engine.parse(stored.sql, file: stored.file).analysis()
            var inputs: [TableName: [String]] = [:]
            for parent in analysis.tables { inputs[parent] = try made[parent] ?? lake.files(of: parent) }
            let written = try lake.engine.materialise(
                stored.query(over: inputs, inRowOrder: analysis.orderSensitive),
                into: "\(folder)/\(name).\(stored.table).parquet")
            made[stored.table] = [written.path]
        }
        return made[loaded.specification.table] ?? []
    }

    private func describe(_ breaches: [Acceptance.Breach]) -> String {
        let shown = breaches.prefix(3).map { "\($0.column ?? "line"): \($0.rule) (\(counted($0.rows, "row")))" }
        return shown.isEmpty ? "." : "; " + shown.joined(separator: "; ") + "."
    }

    /// Writes predictions to a Parquet file.
    package func write(_ prediction: FilePrediction, parquet path: String) throws {
        _ = try lake.engine.write(columns(of: prediction.table, prediction.loaded), into: path)
    }
}
