internal import Core
internal import Foundation

/// Finds the tables that a statement reads, and rejects reads outside the lakehouse and volatile functions.
struct TableReferences {
    let file: String
    let functions: FunctionCatalogue
    var tables: Set<TableName> = []
    var orderSensitive = false

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
