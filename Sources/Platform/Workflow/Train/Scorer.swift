package import Core
internal import Lakehouse
package import Registry
internal import SQLLineage
package import Training

/// A registered version loaded from the registry and the artifact store, ready to score.
package struct LoadedVersion {
    /// Name of the model, as in the registry.
    package let name: String
    /// Number of the version within the model, from 1.
    package let version: Int
    /// SHA-256 of the learner's file, signature and outcome rule, as in the registry.
    package let hash: Digest
    /// Whether its run trained on synthetic rows.
    package let synthetic: Bool
    /// Signature, outcome rule and evaluation, as stored with the run.
    package let record: ModelRecord
    /// The model's definition as stored with the run of this version; the project's own may have changed since.
    package let specification: ModelSpecification
    let blueprint: Blueprint
    /// Leak checks and warnings of its training; `nil` in versions of earlier releases, or if they cannot be read.
    package let checks: TrainingChecks?
    let scorer: any ModelScorer
}

/// A row's key with its outcome.
package struct ScoredRow: Sendable {
    /// Value of the model's key column as text, also where the column is an integer.
    package let key: String
    /// What the model says of the row.
    package let outcome: any Outcome
}

/// The scored rows of a table.
package struct ScoredTable: Sendable {
    /// Rows in ascending order of the key: integers by value, others by the bytes of their text.
    package let rows: [ScoredRow]
    /// Whether the key column is an integer in the table.
    package let keyIsInteger: Bool
}

extension Workspace {
    /// Loads a version from the registry and the artifact store, verifying every digest.
    package func load(_ reference: ModelReference) throws -> LoadedVersion {
        let found = try registry.models.show(reference)
        func artifact(_ name: String) throws -> [UInt8] {
            guard let artifact = found.run.artifacts.first(where: { $0.name == name }) else {
                throw MartletError(.missing, "artifact.missing", "\(reference) has no artifact \(name).")
            }
            return try artifacts.get(artifact.digest, name)
        }
        func stored<T: Decodable>(_ type: T.Type, _ name: String) throws -> T {
            try Stored.read(type, try artifact(name), "\(name) of \(reference)")
        }
        let blueprint = try stored(Blueprint.self, ArtifactName.blueprint)
        let record = try stored(ModelRecord.self, ArtifactName.record)
        _ = try learners.find(record.plan.learner.kind)
        return LoadedVersion(
            name: found.summary.model, version: found.summary.version, hash: found.summary.modelHash,
            synthetic: found.summary.synthetic,
            record: record,
            specification: blueprint.model, blueprint: blueprint, checks: try? checks(ofRun: found.run.id),
            scorer: try learners.scorer(
                of: record.format, try artifact(ArtifactName.model(in: record.format)), threads: trainingThreads))
    }

    /// Scores rows of a table in the form of the model's own.
    func score(
        _ loaded: LoadedVersion, files: [String], where condition: String? = nil, keys: ((String) -> Bool)? = nil
    ) throws -> ScoredTable {
        let table = TrainingTable(model: loaded.specification, engine: lake.engine, files: files)
        let unscored = try table.readForScoring(loaded.record.signature, where: condition, keys: keys)
        let outcomes = try inSentences(loaded.specification) {
            try loaded.record.outcomes(unscored.columns, scorer: loaded.scorer)
        }
        return ScoredTable(
            rows: zip(unscored.keys, outcomes).map { ScoredRow(key: $0, outcome: $1) },
            keyIsInteger: unscored.keyIsInteger)
    }

    /// Scores as columns, for a Parquet file; the key keeps its type.
    func columns(of table: ScoredTable, _ loaded: LoadedVersion) -> [(name: String, column: LakeColumn)] {
        let rows = table.rows
        let keys: LakeColumn =
            table.keyIsInteger
            ? .integer(rows.map { Int64($0.key) ?? 0 }, valid: rows.map { Int64($0.key) != nil })
            : .text(codes: rows.indices.map { Int32($0) }, levels: rows.map(\.key))
        let cells = rows.map(\.outcome.cells)
        let outcomes = loaded.record.rule.columns.enumerated().map { place, column in
            (name: column.name, column: LakeColumn(cells.map { $0[place] }, of: column.kind))
        }
        return [(name: loaded.specification.key, column: keys)] + outcomes + [
            ("model", .text(codes: rows.map { _ in 0 }, levels: [loaded.name])),
            ("version", .integer(rows.map { _ in Int64(loaded.version) }, valid: rows.map { _ in true })),
        ]
    }

    /// Writes gold.predictions_<model>: the champion's prediction for every row without label.
    /// - Returns: what people should know: a champion that the table has left behind keeps nothing else from being done.
    func predictUnlabelled(
        _ specification: ModelSpecification, into predictions: TableName, _ journal: Journal
    ) throws -> [String] {
        try journal.step("predict:\(specification.name)") {
            guard
                let champion = try registry.models.list().first(where: { $0.model == specification.name })?.champion
            else { return ([], Journal.Note(.skipped, "no champion yet")) }
            let loaded = try load(ModelReference(model: specification.name, selector: .version(champion)))
            let table = try lake.reference(to: specification.table)
            let name = predictions
            let fingerprint = Digest(of: "\(table.hash)\n\(loaded.hash)\n\(champion)")
            if try lake.table(name).exists, try lake.reference(to: name).fingerprint == fingerprint.hex {
                return ([], Journal.Note(.skipped, "unchanged"))
            }
            let files = try lake.files(of: specification.table)
            let lost = try TrainingTable(model: specification, engine: lake.engine, files: files)
                .columnsLacking(loaded.record.signature)
            if !lost.isEmpty {
                let (champion, names) = ("\(loaded.name)@\(loaded.version)", lost.joined(separator: ", "))
                return (
                    [
                        "\(name) was not written: the champion \(champion) learned from \(names), which \(specification.table) "
                            + "no longer has. Put it back in the SQL, or promote a version that was trained without it."
                    ],
                    Journal.Note(.skipped, "\(specification.table) no longer has \(names), which \(champion) needs")
                )
            }
            let quoted = specification.target.replacing("\"", with: "\"\"")
            let rows = try score(loaded, files: files, where: "\"\(quoted)\" IS NULL")
            if rows.rows.isEmpty, try !lake.table(name).exists {
                return ([], Journal.Note(.skipped, "no unlabelled rows"))
            }
            try lake.replace(name, with: columns(of: rows, loaded), fingerprint: fingerprint)
            return ([], Journal.Note(.done, "\(counted(rows.rows.count, "row")) → \(name)"))
        }
    }
}

extension LakeColumn {
    /// A column of outcomes or labels.
    init(_ cells: [JSONValue], of kind: OutcomeColumn.Kind) {
        switch kind {
        case .number:
            self = .number(cells.map { if case .number(let value) = $0 { value } else { .nan } })
        case .integer: self = .integer(cells.map { $0.long ?? 0 }, valid: cells.map { $0.long != nil })
        case .flag:
            self = .integer(cells.map { $0.flag == true ? 1 : 0 }, valid: cells.map { $0.flag != nil })
        case .text(let levels):
            let codes = Dictionary(levels.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
            self = .text(codes: cells.map { $0.text.flatMap { codes[$0] } ?? -1 }, levels: levels)
        }
    }
}
