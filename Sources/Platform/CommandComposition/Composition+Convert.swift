internal import Composition
internal import Core
internal import DuckDB
internal import Foundation

/// Conversion between Parquet and CSV for HTTP batches, run in a child process of the server with bounded memory.
///
/// ```swift
/// try ParquetConversion.toParquet(columns: ["row", "probability"])
/// ```
package enum ParquetConversion {
    /// Reads Parquet from file descriptor 3 and prints it as CSV.
    ///
    /// Numbers are the shortest decimals that read back to the bit, those of single precision as the doubles that they
    /// are, nothing for null.
    /// - Throws: `batch.parquet`, `batch.converter`, `batch.too-many-rows` before anything is printed.
    package static func fromParquet(mostRows: Int) throws {
        try told {
            let connection = try session()
            let file = "read_parquet('/dev/fd/3')"
            // The file's end says so.
            let rows = try connection.query("SELECT count(*) FROM \(file)").texts()
            if let count = rows.first?.first.flatMap({ $0.flatMap { Int($0) } }), count > mostRows {
                throw MartletError(
                    .input, "batch.too-many-rows", "The file has \(count) rows; with its size it may have \(mostRows).",
                    remedy: "Send the rows in several files, or as CSV.")
            }
            let columns = try connection.query(
                "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM \(file))"
            ).texts()
            let list = columns.map { column in
                let name = Quote.name((column.first ?? nil) ?? "")
                // A line of nothing is no row: where there is one column, its null is an empty text, missing as well.
                let value = column.last == "FLOAT" ? "CAST(\(name) AS DOUBLE)" : name
                return columns.count == 1
                    ? "coalesce(CAST(\(value) AS VARCHAR), '') AS \(name)" : "\(value) AS \(name)"
            }
            try connection.run(
                """
                COPY (SELECT \(list.joined(separator: ", ")) FROM \(file)) TO '/dev/stdout'
                (FORMAT csv, HEADER true, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '', USE_TMP_FILE false)
                """)
        }
    }

    /// Bytes of an answer's text that are in memory as a whole before they are written: those of a group of rows.
    private static let groupBytes = 8 << 20

    /// Reads a batch's answer as CSV from standard input and prints it as Parquet.
    /// - Parameter columns: the answer's, in order.
    /// - Throws: `batch.converter`.
    package static func toParquet(columns: [String]) throws {
        try told {
            let rows = AnswerRows(columns: columns.count, piece: groupBytes) {
                FileHandle.standardInput.readData(ofLength: $0)
            }
            // One thread keeps the order; only without this promise the size of a group can be told in bytes.
            let connection = try session(["preserve_insertion_order": "false"])
            let types = ["row": "BIGINT", "probability": "DOUBLE", "decision": "BOOLEAN"]
            let list = columns.enumerated().map { place, name in
                "CAST(c\(place) AS \(types[name] ?? "VARCHAR")) AS \(Quote.name(name))"
            }
            try TextTables.register(with: connection).with(rows, as: "answer") {
                _ = try connection.run(
                    """
                    COPY (SELECT \(list.joined(separator: ", ")) FROM _martlet_texts('answer'))
                    TO '/dev/stdout' (FORMAT parquet, ROW_GROUP_SIZE_BYTES \(groupBytes), USE_TMP_FILE false)
                    """)
            }
            if let line = rows.brokenLine {
                throw MartletError(
                    .machine, "batch.converter", "Line \(line) of the answer has not its \(columns.count) cells.")
            }
        }
    }

    private static func session(_ more: [String: String] = [:]) throws -> Connection {
        try Database(
            options: [
                "threads": "1", "memory_limit": "512MB", "temp_directory": "", "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            ].merging(more) { $1 }, pause: SystemClock().block
        ).connect()
    }

    private static func told(_ body: () throws -> Void) throws {
        do { try body() } catch let error as DuckDBError {
            let reason =
                error.message.replacing("'/dev/fd/3'", with: "the file").replacing("/dev/fd/3", with: "the file")
                .split(separator: "\n").first.map(String.init) ?? error.category
            if error.category == "Out of Memory" {
                throw MartletError(
                    .machine, "batch.converter", "Converting Parquet takes more memory than it may: \(reason)",
                    remedy: "Write the file with smaller row groups, or send CSV.")
            }
            throw MartletError(
                .input, "batch.parquet", "The file cannot be read as Parquet: \(reason)",
                remedy: "Write it anew, or send CSV.")
        }
    }
}
