internal import Foundation

/// A node of DuckDB's syntax tree, as `json_serialize_sql` writes it.
///
/// ```swift
/// let tree = SyntaxNode(json: text)
/// let statements = tree?.list("statements")
/// ```
package struct SyntaxNode {
    let raw: [String: Any]

    init?(_ any: Any?) {
        guard let raw = any as? [String: Any] else { return nil }
        self.raw = raw
    }

    /// Parses a tree from JSON; `nil` when the text is not a JSON object.
    package init?(json: String) {
        self.init(try? JSONSerialization.jsonObject(with: Data(json.utf8)))
    }

    /// The child node under a key.
    package subscript(key: String) -> SyntaxNode? { SyntaxNode(raw[key]) }

    /// The child nodes in an array under a key; empty when there is none.
    package func list(_ key: String) -> [SyntaxNode] { (raw[key] as? [Any] ?? []).compactMap { SyntaxNode($0) } }
    func texts(_ key: String) -> [String] { raw[key] as? [String] ?? [] }
    func text(_ key: String) -> String { raw[key] as? String ?? "" }
    /// The Boolean under a key; false when there is none.
    package func flag(_ key: String) -> Bool { raw[key] as? Bool ?? false }

    /// The class of an expression; empty for other nodes.
    var kind: String { text("class") }
    var type: String { text("type") }
    var alias: String { text("alias") }
    var function: String { text("function_name").lowercased() }

    /// Of an order: where it is not said, DuckDB puts nulls at the end, whichever the direction.
    var nullsLast: Bool { !text("null_order").contains("FIRST") }

    /// Byte offset in the SQL.
    var place: Int? {
        guard let number = raw["query_location"] as? NSNumber, number.uint64Value < 1 << 40 else { return nil }
        return number.intValue
    }

    /// The query inside of a subquery.
    var query: SyntaxNode? { self["subquery"]?["node"] }

    /// Every expression directly inside of this one, whatever the key it stands under.
    var expressions: [SyntaxNode] {
        var found: [SyntaxNode] = []
        func look(_ any: Any) {
            if let list = any as? [Any] {
                for item in list { look(item) }
            } else if let object = any as? [String: Any] {
                if object["class"] is String, let node = SyntaxNode(object) {
                    found.append(node)
                } else {
                    for key in object.keys.sorted() { look(object[key] as Any) }
                }
            }
        }
        for key in raw.keys.sorted() { look(raw[key] as Any) }
        return found
    }

    /// This node and all below it that are not in a query of their own.
    func contains(_ condition: (SyntaxNode) -> Bool) -> Bool {
        if condition(self) { return true }
        if kind == "SUBQUERY" { return self["child"]?.contains(condition) ?? false }
        return expressions.contains { $0.contains(condition) }
    }

    /// The same text for the same expression, wherever it stands and whatever it is called.
    var canonical: String {
        func plain(_ any: Any) -> Any {
            if let list = any as? [Any] { return list.map(plain) }
            guard let object = any as? [String: Any] else { return any is NSNull ? "null" : any }
            var copy: [String: Any] = [:]
            for (key, value) in object where key != "query_location" && key != "alias" {
                // SQL does not tell cases apart in names.
                copy[key] =
                    key == "column_names" ? (value as? [String] ?? []).map { $0.lowercased() } : plain(value)
            }
            return copy
        }
        guard let data = try? JSONSerialization.data(withJSONObject: plain(raw), options: [.sortedKeys]) else {
            return "\(raw)"
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// The value of a constant that is a whole or broken number.
    var number: Double? {
        guard kind == "CONSTANT", let value = self["value"], !value.flag("is_null") else { return nil }
        if let number = value.raw["value"] as? NSNumber {
            guard let type = value["type"]?.text("id"), type == "DECIMAL",
                let scale = value["type"]?["type_info"]?.raw["scale"] as? NSNumber
            else { return number.doubleValue }
            return number.doubleValue / pow(10, scale.doubleValue)
        }
        return nil
    }

    /// The value of a constant that is a text.
    var string: String? {
        guard kind == "CONSTANT", let value = self["value"], !value.flag("is_null") else { return nil }
        return value.raw["value"] as? String
    }
}
