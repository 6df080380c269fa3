internal import DuckDB
internal import Vocabulary

/// Parquet for batches over HTTP, in a child of the server: what comes and goes are pipes, memory is bounded.
package enum ParquetConversion {
    /// Reads the Parquet in file 3 and prints it as CSV: numbers as the shortest decimals that read back to the bit, those
    /// of single precision as the doubles that they are, nothing for null.
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

    /// Reads a batch's answer as CSV from standard input and prints it as Parquet.
    /// - Parameter columns: the answer's, in order.
    /// - Throws: `batch.converter`.
    package static func toParquet(columns: [String]) throws {
        try told {
            let types = ["row": "BIGINT", "probability": "DOUBLE", "decision": "BOOLEAN"]
            let given = columns.enumerated().map { "'c\($0)': '\(types[$1] ?? "VARCHAR")'" }
            let list = columns.enumerated().map { "c\($0) AS \(Quote.name($1))" }
            // A group of rows is in memory as a whole.
            let group = max(2_048, min(20_480, 800_000 / max(1, columns.count) / 2_048 * 2_048))
            try session().run(
                """
                COPY (SELECT \(list.joined(separator: ", ")) FROM read_csv('/dev/stdin',
                    columns = {\(given.joined(separator: ", "))}, header = true, auto_detect = false, delim = ',',
                    quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, parallel = false,
                    max_line_size = 8388608, buffer_size = 16777216))
                TO '/dev/stdout' (FORMAT parquet, ROW_GROUP_SIZE \(group), USE_TMP_FILE false)
                """)
        }
    }

    private static func session() throws -> Connection {
        try Database(options: [
            "threads": "1", "memory_limit": "512MB", "temp_directory": "", "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        ]).connect()
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
