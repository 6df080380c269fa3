package import Lakehouse
package import Projects
package import Registry
internal import Training
package import Vocabulary

// Scores a file of raw records by the same contract and the same SQL that made the training table (7): the
// records join what the lake already knows of their entities, in a scratch folder; the lake itself is not touched.

/// The scores of a file's records, and what became of the others.
package struct FilePrediction {
    package var loaded: LoadedVersion
    package var table: ScoredTable
    package var rowsRead: Int
    package var rejected: Int
    package var breaches: [Acceptance.Breach]
    /// Records that the contract took but the project's SQL left out; `nil` where rows of the model's table are no
    /// records.
    package var leftOut: Int?
    /// Whether the records were seen without the lake's earlier ones (sources without a key).
    package var alone: Bool

    package var rows: [ScoredRow] { table.rows }
}

extension Workspace {
    package func predict(
        file path: String, of source: Project.Source, by reference: ModelReference
    ) throws -> FilePrediction {
        let loaded = try load(reference)
        return try withScratch { folder in
            var contract = source.contract
            // A record that is known already is scored as the file has it.
            contract.onKeyConflict = .latestWins
            contract.maxRejected = 1
            let bronze = TableName(.bronze, source.name)
            let known = lake.table(bronze).exists ? try lake.files(of: bronze) : []
            let alone = contract.key.isEmpty
            let file = AcceptRequest.File(
                path: Disk.absolute(path), name: Disk.name(of: path), digest: Digest(of: path))
            let batch = try lake.engine.accept(
                AcceptRequest(
                    files: [file], contract: contract, format: source.format, existing: alone ? [] : known,
                    folder: folder, quarantineFolder: "\(folder)/quarantine", id: surroundings.newID()))
            let acceptance = batch.files[0]
            let accepted = batch.accepted.map(\.path)
            guard acceptance.refusal == nil, acceptance.acceptedRows > 0 else {
                throw MartletError(
                    .input, "predict.refused",
                    "No record can be scored: "
                        + (acceptance.refusal ?? "all \(acceptance.rowsRead) rows break the contract")
                        + describe(acceptance.breaches),
                    at: .init(file: path), remedy: "Compare the file with the contract of \(source.name).")
            }
            let replaced = Set(batch.rewrites.map(\.old))
            let earlier =
                alone
                ? []
                : known.filter { !replaced.contains($0) }
                    + batch.rewrites.map(\.new).filter { $0.rows > 0 }.map(\.path)
            let table = try rebuild(loaded, bronze, earlier + accepted, in: folder, "with")
            let wanted = try wantedKeys(loaded, bronze, accepted: accepted, earlier: earlier, in: folder)
            let scored = try score(loaded, files: table, keys: wanted)
            let isByRecord = contract.key == [loaded.specification.key]
            return FilePrediction(
                loaded: loaded, table: scored, rowsRead: acceptance.rowsRead, rejected: acceptance.rejectedRows,
                breaches: acceptance.breaches,
                leftOut: isByRecord ? max(0, acceptance.acceptedRows - scored.rows.count) : nil,
                alone: alone)
        }
    }

    /// Which rows of the rebuilt table come from the file: those whose key the file itself brings, else those that
    /// the table would not have without it. `nil` is all of them.
    private func wantedKeys(
        _ loaded: LoadedVersion, _ bronze: TableName, accepted: [String], earlier: [String], in folder: String
    ) throws -> ((String) -> Bool)? {
        let key = loaded.specification.key
        let query = Query("SELECT * FROM \(bronze)", inputs: [bronze: accepted])
        if try lake.engine.describe(query).contains(where: { $0.name == key }) {
            let keys = try lake.engine.columns(query, as: [(key, .text)], orderedBy: [])
            let brought = Set(keys.first?.texts.compactMap { $0.map(ByteText.init) } ?? [])
            return { brought.contains(ByteText($0)) }
        }
        if earlier.isEmpty { return nil }
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
            let analysis = try lake.engine.analyse(stored.sql, file: stored.file)
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
        let shown = breaches.prefix(3).map { "\($0.column ?? "line"): \($0.rule) (\($0.rows) rows)" }
        return shown.isEmpty ? "." : "; " + shown.joined(separator: "; ") + "."
    }

    /// Writes scores as columns.
    package func write(_ prediction: FilePrediction, parquet path: String) throws {
        _ = try lake.engine.write(columns(of: prediction.table, prediction.loaded), into: path)
    }
}
