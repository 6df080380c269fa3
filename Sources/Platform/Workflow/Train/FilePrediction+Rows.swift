package import Core
internal import Lakehouse
internal import Training

extension FilePrediction {
    /// Rows at or above the threshold.
    package var positives: Int { rows.count { $0.prediction.positive } }

    /// The scores as CSV (RFC 4180), a header first.
    package var csv: String {
        var text = "\(quoted(loaded.specification.key)),probability,band,decision,model,version\n"
        for row in rows {
            text +=
                "\(quoted(row.key)),\(row.prediction.probability),\(row.prediction.band?.rawValue ?? ""),"
                + "\(row.prediction.positive ? 1 : 0),\(loaded.name),\(loaded.version)\n"
        }
        return text
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
            return .object(
                [
                    "probability": .number(row.prediction.probability),
                    "band": row.prediction.band.map { .text($0.rawValue) } ?? .null,
                    "decision": .flag(row.prediction.positive), "model": .text(loaded.name),
                    "version": .integer(Int64(loaded.version)),
                ].merging([key: whole.map { .integer($0) } ?? .text(row.key)]) { own, _ in own })
        }
    }
}
