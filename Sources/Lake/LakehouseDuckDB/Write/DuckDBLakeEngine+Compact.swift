internal import Core
internal import DuckDB
package import Lakehouse

extension DuckDBLakeEngine {
    /// Returns the schema of each Parquet file as a text, equal for files that can be concatenated as they are.
    package func layouts(of files: [String]) throws -> [String: String] {
        let list = files.map { Quote.path($0) }.joined(separator: ", ")
        let rows = try reading(files) {
            try connection.query(
                """
                SELECT file_name, string_agg(concat_ws(' ', name, type, type_length, num_children, converted_type,
                    scale, "precision", logical_type), chr(10) ORDER BY place)
                FROM (SELECT *, row_number() OVER () AS place FROM parquet_schema([\(list)])) GROUP BY file_name
                """
            ).texts()
        }
        return Dictionary(rows.compactMap { row in row[0].map { ($0, row[1] ?? "") } }) { first, _ in first }
    }

    /// Concatenates Parquet files with the same columns to one new file, rows in order.
    package func rewrite(_ files: [String], into file: String) throws -> RewrittenFiles {
        let source = Quote.parquet(files)
        let content = try reading(files) { () throws -> (fields: [DeltaField], hash: ContentHash) in
            let fields = try self.fields(of: "SELECT * FROM \(source)")
            return (fields, try self.hash(of: fields, in: source))
        }
        do {
            let new = try onOneThread(areSmall(files)) { try copy("SELECT * FROM \(source)", to: file, content.fields) }
            return RewrittenFiles(new: new, oldHash: content.hash)
        } catch let error as DuckDBError { throw explain(error, Query("", file: file)) }
    }
}
