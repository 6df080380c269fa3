package import Core
internal import Lakehouse
package import Training

extension FilePrediction {
    /// Figures and a clause about all outcomes.
    package var summary: OutcomeSummary { loaded.record.rule.summary(of: rows.map(\.outcome)) }

    /// The scores as CSV (RFC 4180), a header first.
    package var csv: String {
        let header = [loaded.specification.key] + columns + ["model", "version"]
        var text = header.map { quoted($0) }.joined(separator: ",") + "\n"
        for row in rows {
            let outcome = row.outcome.cells.map { quoted(Self.text($0)) }.joined(separator: ",")
            text += "\(quoted(row.key)),\(outcome),\(loaded.name),\(loaded.version)\n"
        }
        return text
    }

    private var columns: [String] { loaded.record.rule.columns.map(\.name) }

    private static func text(_ cell: JSONValue) -> String {
        switch cell {
        case .number(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .flag(let value): value ? "1" : "0"
        case .text(let value): value
        case .null, .list, .object: ""
        }
    }

    private func quoted(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    /// The scores as JSON objects with the same columns; a whole number as key as such.
    package var objects: [JSONValue] {
        let key = loaded.specification.key
        return rows.map { row in
            let whole = table.keyIsInteger ? Int64(row.key) : nil
            var members = Dictionary(zip(columns, row.outcome.cells)) { first, _ in first }
            members["model"] = .text(loaded.name)
            members["version"] = .integer(Int64(loaded.version))
            return .object(
                members.merging([key: whole.map { .integer($0) } ?? .text(row.key)]) { own, _ in own })
        }
    }
}
