internal import Core
internal import DuckDB
package import Lakehouse
internal import Storage

// Delta checkpoints: one row an action, one struct column a kind of action. They go in and out as JSON, which DuckDB
// reads and writes with nested types; the order of rows is the order of actions.

extension DuckDBLakeEngine {
    /// The protocol's columns ("Checkpoint Schema") as DuckDB types.
    private static let columns = [
        (
            "txn", "STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)"
        ),
        (
            "add",
            "STRUCT(path VARCHAR, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, modificationTime BIGINT, "
                + "dataChange BOOLEAN, stats VARCHAR, tags MAP(VARCHAR, VARCHAR))"
        ),
        (
            "remove",
            "STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN, "
                + "partitionValues MAP(VARCHAR, VARCHAR), size BIGINT)"
        ),
        (
            "metaData",
            "STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, "
                + "options MAP(VARCHAR, VARCHAR)), schemaString VARCHAR, partitionColumns VARCHAR[], "
                + "createdTime BIGINT, configuration MAP(VARCHAR, VARCHAR))"
        ),
        (
            "protocol",
            "STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[], "
                + "writerFeatures VARCHAR[])"
        ),
    ]

    /// Writes the actions of a Delta checkpoint to one Parquet file.
    package func writeCheckpoint(_ actions: [DeltaAction], into file: String) throws {
        // Not .json: a reader that lists the log must not take it for a commit.
        let lines = file + ".lines"
        defer { Disk.remove(lines) }
        var bytes: [UInt8] = []
        for action in actions {
            bytes += try JSON.encode(action)
            bytes.append(10)
        }
        Disk.remove(lines)
        try Disk.append(lines, bytes)
        let list = Self.columns.map { "\(Quote.name($0.0)): \(Quote.text($0.1))" }.joined(separator: ", ")
        do {
            _ = try onOneThread(true) {
                try connection.execute(
                    """
                    COPY (SELECT * FROM read_json(\(Quote.path(lines)), format = 'newline_delimited',
                        maximum_object_size = 268435456, columns = {\(list)}))
                    TO \(Quote.text(file)) (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v1)
                    """)
            }
        } catch let error as DuckDBError { throw explain(error, Query("", file: file)) }
    }

    /// Reads the actions of a Delta checkpoint from its Parquet files.
    package func readCheckpoint(_ files: [String]) throws -> [DeltaAction] {
        do {
            return try onOneThread(true) {
                let source = Quote.parquet(files)
                let there = try describeTypes("SELECT * FROM \(source)").map(\.name)
                if there.contains("sidecar"),
                    try connection.value("SELECT 1::VARCHAR FROM \(source) WHERE sidecar IS NOT NULL LIMIT 1") != nil
                {
                    throw MartletError(
                        .input, "lake.unsupported", "The table's checkpoint keeps its files in sidecars.",
                        at: files.first.map { .init(file: $0) },
                        remedy: "Let the tool that wrote it write a classic checkpoint.")
                }
                let kinds = Self.columns.map(\.0).filter { there.contains($0) }
                let cells = kinds.map { kind in
                    let name = Quote.name(kind)
                    return "CASE WHEN \(name) IS NOT NULL THEN to_json(\(name))::VARCHAR END"
                }
                guard !cells.isEmpty else { return [] }
                let rows = try connection.query("SELECT \(cells.joined(separator: ", ")) FROM \(source)").texts()
                return try rows.compactMap { row in try action(zip(kinds, row), files) }
            }
        } catch let error as DuckDBError {
            throw MartletError(
                .input, "lake.corrupt-file", "A checkpoint of the table cannot be read: \(error.message)",
                at: files.first.map { .init(file: $0) }, remedy: "Restore it from a backup.")
        }
    }

    /// One row as an action; `nil` when it holds none that is read.
    private func action(_ cells: some Sequence<(String, String?)>, _ files: [String]) throws -> DeltaAction? {
        for (kind, text) in cells {
            guard let text, let value = JSONValue(parsing: text) else { continue }
            // A writer may spell "no such action" as a struct of nulls.
            guard value.members?.values.contains(where: { $0 != .null }) == true else { continue }
            guard let action = DeltaAction(.object([kind: value])) else {
                throw MartletError(
                    .input, "lake.corrupt-file", "A row of the table's checkpoint is not a Delta action.",
                    at: files.first.map { .init(file: $0) }, remedy: "Restore it from a backup.")
            }
            return action
        }
        return nil
    }
}
