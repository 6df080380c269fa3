internal import DuckDB
internal import Foundation
package import Lakehouse
package import Vocabulary

// Dependencies come from DuckDB's own parser (`json_serialize_sql`), so comments, texts, quoted names, CTEs that
// shadow tables, subqueries and lateral joins are what the engine takes them for.

extension DuckDBLakeEngine {
    package func analyse(_ sql: String, file: String) throws -> QueryAnalysis {
        let tree = try syntaxTree(of: sql, file: file)
        var walk = SyntaxWalk(file: file, functions: try functions())
        try walk.visit(tree["statements"] as Any, scope: [])
        return QueryAnalysis(tables: walk.tables.sorted(), orderSensitive: walk.orderSensitive)
    }

    package func lineage(
        _ sql: String, file: String, symbols: SymbolSource, tables: @escaping (TableName) throws -> Relation
    ) throws -> Relation {
        let tree = try syntaxTree(of: sql, file: file)
        let reader = ColumnLineage(
            file: file, sql: sql, symbols: symbols, aggregates: try functions().aggregates, tables: tables)
        guard let statement = (tree["statements"] as? [Any])?.first, let node = SyntaxNode(statement)?["node"] else {
            throw MartletError(
                .input, "lineage.unknown", "The statement is not understood.", at: .init(file: file))
        }
        return try reader.query(node, outer: nil, common: [:])
    }

    /// What this engine's own catalogue says of functions; read once.
    private func functions() throws -> FunctionCatalogue {
        if let catalogue { return catalogue }
        let read = try FunctionCatalogue(connection)
        catalogue = read
        return read
    }

    /// The statement as DuckDB's parser sees it.
    private func syntaxTree(of sql: String, file: String) throws -> [String: Any] {
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
        guard let tree = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw MartletError(
                .input, "transform.parse", "The statement nests too deeply, or holds a number that is too large.",
                at: .init(file: file), remedy: "Part long chains of + or || and nested calls over subqueries.")
        }
        if tree["error"] as? Bool == true {
            throw MartletError(
                .input, "transform.not-select", "A transform is one SELECT; this is another statement.",
                at: .init(file: file), remedy: "Write the SELECT alone: Martlet makes the table from it.")
        }
        return tree
    }
}

private struct SyntaxWalk {
    let file: String
    let functions: FunctionCatalogue
    var tables: Set<TableName> = []
    var orderSensitive = false

    init(file: String, functions: FunctionCatalogue) {
        self.file = file
        self.functions = functions
    }

    /// Spelled without parentheses, these look like columns.
    private static let keywords: Set<String> = [
        "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp",
    ]

    private static let tableFunctions: Set<String> = ["range", "generate_series", "unnest", "json_each", "json_tree"]

    mutating func visit(_ node: Any, scope: Set<String>) throws {
        if let list = node as? [Any] {
            for item in list { try visit(item, scope: scope) }
            return
        }
        guard let object = node as? [String: Any] else { return }
        var scope = scope
        let type = object["type"] as? String ?? ""
        if type == "RECURSIVE_CTE_NODE" || type == "CTE_NODE", let name = object["cte_name"] as? String {
            scope.insert(name.lowercased())
        }
        if let map = (object["cte_map"] as? [String: Any])?["map"] as? [[String: Any]] {
            for entry in map {
                try visit(entry["value"] as Any, scope: scope)
                if let name = entry["key"] as? String { scope.insert(name.lowercased()) }
            }
        }
        try note(object, type: type, scope: scope)
        for (key, value) in object where key != "cte_map" { try visit(value, scope: scope) }
    }

    private mutating func note(_ object: [String: Any], type: String, scope: Set<String>) throws {
        switch type {
        case "BASE_TABLE": try noteTable(object, scope: scope)
        case "TABLE_FUNCTION":
            let name = ((object["function"] as? [String: Any])?["function_name"] as? String ?? "").lowercased()
            guard Self.tableFunctions.contains(name) else {
                throw MartletError(
                    .input, "transform.reads-outside", "\(name)(…) reads from outside the lakehouse.",
                    at: .init(file: file), remedy: "Declare the file as a source, ingest it and read bronze.<source>.")
            }
        case "SHOW_REF":
            throw MartletError(
                .input, "transform.reads-outside", "SHOW and DESCRIBE read the engine, not tables.",
                at: .init(file: file))
        case "JOIN":
            // Which of equals an ASOF join takes, and what stands beside what, depends on the order of rows.
            if ["ASOF", "POSITIONAL"].contains(object["ref_type"] as? String) { orderSensitive = true }
        case "COLUMN_REF":
            let names = object["column_names"] as? [String] ?? []
            if names.count == 1, Self.keywords.contains(names[0].lowercased()) { throw unrepeatable(names[0]) }
        default:
            if object["class"] as? String == "WINDOW" { orderSensitive = true }
            guard let name = (object["function_name"] as? String)?.lowercased() else { break }
            let isAgeOfToday = name == "age" && (object["children"] as? [Any])?.count == 1
            if functions.unrepeatable.contains(name) || isAgeOfToday { throw unrepeatable(name) }
            if functions.isOrderSensitive(name) { orderSensitive = true }
        }
        if let sample = object["sample"], !(sample is NSNull) {
            throw MartletError(
                .input, "transform.unrepeatable", "A sample gives other rows each time.", at: .init(file: file),
                remedy: "Choose rows by a hash of their key instead, e.g. WHERE md5_number_lower(key) % 10 = 0.")
        }
        if (object["modifiers"] as? [[String: Any]])?.contains(where: { ($0["type"] as? String) != "ORDER_MODIFIER" })
            == true
        {
            orderSensitive = true
        }
    }

    private mutating func noteTable(_ object: [String: Any], scope: Set<String>) throws {
        let schema = object["schema_name"] as? String ?? ""
        let name = object["table_name"] as? String ?? ""
        if schema.isEmpty {
            if scope.contains(name.lowercased()) { return }
            throw MartletError(
                .input, "transform.no-layer", "The table \(name) is written without its layer.", at: .init(file: file),
                remedy: "Write bronze.\(name), silver.\(name) or gold.\(name).")
        }
        guard let layer = Layer(rawValue: schema.lowercased()) else {
            throw MartletError(
                .input, "transform.unknown-layer", "There is no layer \(schema).", at: .init(file: file),
                remedy: "Tables stand in bronze, silver, gold, quarantine or monitoring.")
        }
        guard !name.contains("/") else {
            throw MartletError(
                .input, "transform.unknown-table", "There is no table \(schema).\(name).", at: .init(file: file))
        }
        tables.insert(TableName(layer, name))
    }

    private func unrepeatable(_ name: String) -> MartletError {
        MartletError(
            .input, "transform.unrepeatable", "\(name) gives another answer each time it is asked.",
            at: .init(file: file), remedy: "Use a column of the data instead, so that the table can be rebuilt.")
    }
}
