internal import Core

/// The stage of a table in the lakehouse: bronze, silver, gold, quarantine or monitoring.
package enum Layer: String, Sendable, Codable, CaseIterable, Comparable {
    /// As received, checked against its contract.
    case bronze
    /// Cleaned.
    case silver
    /// Features and predictions: ready for use.
    case gold
    /// Rows that bronze refused, with reasons.
    case quarantine
    /// What was predicted, compacted from the prediction log.
    case monitoring

    package static func < (a: Layer, b: Layer) -> Bool { a.rank < b.rank }
    private var rank: Int { Layer.allCases.firstIndex(of: self) ?? 0 }
}

/// The full name of a table, written `layer.name` in SQL, YAML, JSON and on the command line; always lowercase.
///
/// ```swift
/// TableName("gold.encounters") == TableName(.gold, "encounters")  // true
/// ```
package struct TableName: Sendable, Hashable, Comparable, CustomStringConvertible, Codable {
    /// Stage of the table: the part of the full name before the dot.
    package let layer: Layer
    /// Name within the layer, in lowercase: the part of the full name behind the first dot.
    package let name: String

    package init(_ layer: Layer, _ name: String) {
        self.layer = layer
        self.name = name.lowercased()
    }

    /// Parses "gold.encounters"; `nil` when there is no known layer before the first dot.
    package init?(_ text: String) {
        guard let dot = text.firstIndex(of: "."), let layer = Layer(rawValue: text[..<dot].lowercased()) else {
            return nil
        }
        let name = String(text[text.index(after: dot)...])
        guard !name.isEmpty, !name.contains("/") else { return nil }
        self.init(layer, name)
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let name = TableName(text) else {
            throw MartletError(.input, "lake.table-name", "\(text) is not a table name like gold.encounters.")
        }
        self = name
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.singleValueContainer()
        try box.encode(description)
    }

    package var description: String { "\(layer.rawValue).\(name)" }
    package static func < (a: TableName, b: TableName) -> Bool { (a.layer, a.name) < (b.layer, b.name) }
}
