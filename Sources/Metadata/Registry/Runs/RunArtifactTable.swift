internal import Core
internal import SQLText

/// The table `run_artifacts`.
struct RunArtifactTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func insert(_ artifacts: [Artifact], run: String) throws {
        for artifact in artifacts {
            try transaction.connection.execute(
                """
                INSERT INTO run_artifacts (project, run, name, digest, bytes, media_type)
                VALUES (\(transaction.project), \(run), \(artifact.name), \(artifact.digest), \(artifact.bytes),
                    \(artifact.mediaType))
                """)
        }
    }

    func all(run: String) throws -> [Artifact] {
        try transaction.connection.rows(
            "SELECT * FROM run_artifacts WHERE project = \(transaction.project) AND run = \(run) ORDER BY name"
        ).map { row in
            Artifact(
                name: try row.text("name"),
                digest: try row.digest("digest"),
                bytes: try row.int("bytes"),
                mediaType: try row.text("media_type")
            )
        }
    }
}
