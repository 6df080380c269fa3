internal import Core
internal import DuckDB
internal import Lakehouse
package import SQLLineage

// Dependencies come from DuckDB's own parser (`json_serialize_sql`), so comments, texts, quoted names, CTEs that
// shadow tables, subqueries and lateral joins are what the engine takes them for.

extension DuckDBLakeEngine {
    /// Parses one SELECT with DuckDB's parser.
    package func parse(_ sql: String, file: String) throws -> SelectStatement {
        SelectStatement(sql: sql, file: file, node: try syntaxTree(of: sql, file: file), functions: try functions())
    }

    /// What this engine's own catalogue says of functions; read once.
    private func functions() throws -> FunctionCatalogue {
        if let catalogue { return catalogue }
        let rows = try connection.query(
            "SELECT DISTINCT lower(function_name), function_type, coalesce(stability, '') FROM duckdb_functions()"
        ).texts()
        let read = FunctionCatalogue(
            aggregates: Set(rows.filter { $0[1] == "aggregate" }.compactMap(\.[0])),
            unrepeatable: Set(
                rows.filter { ["VOLATILE", "CONSISTENT_WITHIN_QUERY"].contains($0[2]) }.compactMap(\.[0])))
        catalogue = read
        return read
    }

    /// The statement as DuckDB's parser sees it.
    private func syntaxTree(of sql: String, file: String) throws -> SyntaxNode {
        let query = Query(sql, file: file)
        let count = try explained(query) { try connection.statementCount(sql) }
        guard count == 1 else {
            // DuckDB's parser makes several statements of a PIVOT that takes its columns from the data.
            let rest = String(sql[SQLText.end(of: sql)...].dropFirst())
            if count > 1, try explained(query, { try connection.statementCount(rest) }) == 0 {
                throw MartletError(
                    .input, "transform.pivot",
                    "PIVOT … ON without IN takes its columns from the data: they would change with the rows.",
                    at: .init(file: file),
                    remedy: "Name them, PIVOT bronze.t ON kind IN ('a', 'b') USING sum(n), or in standard SQL "
                        + "SELECT * FROM bronze.t PIVOT (sum(n) FOR kind IN ('a', 'b')).")
            }
            throw MartletError(
                .input, count == 0 ? "transform.empty" : "transform.many-statements",
                count == 0
                    ? "There is no SQL in it." : "There are \(count) statements; one SELECT is wanted.",
                at: .init(file: file))
        }
        let text = try explained(query) {
            try connection.value("SELECT json_serialize_sql(\(Quote.text(sql)))::VARCHAR") ?? "{}"
        }
        guard let tree = SyntaxNode(json: text) else {
            throw MartletError(
                .input, "transform.parse", "The statement nests too deeply, or holds a number that is too large.",
                at: .init(file: file), remedy: "Part long chains of + or || and nested calls over subqueries.")
        }
        if tree.flag("error") {
            throw MartletError(
                .input, "transform.not-select", "A transform is one SELECT; this is another statement.",
                at: .init(file: file), remedy: "Write the SELECT alone: Martlet makes the table from it.")
        }
        guard let node = tree.list("statements").first?["node"] else {
            throw MartletError(
                .input, "lineage.unknown", "The statement is not understood.", at: .init(file: file))
        }
        return node
    }
}
