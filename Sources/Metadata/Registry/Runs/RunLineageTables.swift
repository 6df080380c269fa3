internal import Core
internal import SQLText

/// The tables `run_files`, `run_tables` and `run_table_parents`.
struct RunLineageTables {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func insert(_ lineage: Lineage, run: String) throws {
        for file in lineage.files {
            try transaction.connection.execute(
                """
                INSERT INTO run_files (project, run, source, digest, name, row_count, rejected, synthetic)
                VALUES (\(transaction.project), \(run), \(file.source), \(file.digest), \(file.name), \(file.rows),
                    \(file.rejected), \(file.synthetic))
                """)
        }
        for table in lineage.tables {
            try transaction.connection.execute(
                """
                INSERT INTO run_tables (project, run, name, snapshot, row_count, hash)
                VALUES (\(transaction.project), \(run), \(table.name), \(table.snapshot), \(table.rows), \(table.hash))
                """)
            for parent in table.parents {
                try transaction.connection.execute(
                    """
                    INSERT INTO run_table_parents (project, run, name, parent, parent_snapshot)
                    VALUES (\(transaction.project), \(run), \(table.name), \(parent.name), \(parent.snapshot))
                    """)
            }
        }
    }

    /// Files by source and digest, tables by name.
    func all(run: String) throws -> Lineage {
        Lineage(files: try files(run), tables: try tables(run))
    }

    private func files(_ run: String) throws -> [LineageFile] {
        try transaction.connection.rows(
            "SELECT * FROM run_files WHERE project = \(transaction.project) AND run = \(run) ORDER BY source, digest"
        ).map { row in
            LineageFile(
                source: try row.text("source"),
                digest: try row.digest("digest"),
                name: try row.text("name"),
                rows: try row.int("row_count"),
                rejected: try row.int("rejected"),
                synthetic: try row.bool("synthetic")
            )
        }
    }

    private func tables(_ run: String) throws -> [LineageTable] {
        var parents: [String: [TableSnapshot]] = [:]
        let edges = try transaction.connection.rows(
            "SELECT * FROM run_table_parents WHERE project = \(transaction.project) AND run = \(run)")
        for edge in edges {
            let parent = TableSnapshot(name: try edge.text("parent"), snapshot: try edge.int("parent_snapshot"))
            parents[try edge.text("name"), default: []].append(parent)
        }
        return try transaction.connection.rows(
            "SELECT * FROM run_tables WHERE project = \(transaction.project) AND run = \(run) ORDER BY name"
        ).map { row in
            let name = try row.text("name")
            return LineageTable(
                name: name,
                snapshot: try row.int("snapshot"),
                rows: try row.int("row_count"),
                hash: try row.text("hash"),
                parents: parents[name] ?? []
            )
        }
    }
}
