internal import Core
internal import Lakehouse
internal import Registry
internal import Storage
internal import Training

/// Result of scoring a file: as JSON a summary, with the scored rows unless a file took them.
package struct PredictResult: JobResult {
    /// The scores, the version that gave them, and the records that have none.
    package let prediction: FilePrediction
    /// Path of the file that took the scores; `nil`: the JSON result has them.
    package let output: String?

    private enum CodingKeys: String, CodingKey {
        case model, version, synthetic, records, scored, rejected, alone, breaches, unscored
        case output, rows
        case leftOut = "left_out"
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(prediction.loaded.name, forKey: .model)
        try box.encode(prediction.loaded.version, forKey: .version)
        try box.encode(prediction.loaded.synthetic, forKey: .synthetic)
        try box.encode(prediction.rowsRead, forKey: .records)
        try box.encode(prediction.rows.count, forKey: .scored)
        var figures = encoder.container(keyedBy: NamedKey.self)
        for (name, figure) in prediction.summary.figures { try figures.encode(figure, forKey: NamedKey(name)) }
        try box.encode(prediction.rejected, forKey: .rejected)
        try box.encode(prediction.alone, forKey: .alone)
        try box.encode(prediction.breaches, forKey: .breaches)
        try box.encode(prediction.unscored, forKey: .unscored)
        try box.encodeIfPresent(output, forKey: .output)
        if output == nil { try box.encode(prediction.objects, forKey: .rows) }
        try box.encodeIfPresent(prediction.leftOut, forKey: .leftOut)
    }

    package var notes: [String] {
        let loaded = prediction.loaded
        var lines = [
            "\(grouped(prediction.rows.count)) of \(counted(prediction.rowsRead, "record")) scored by "
                + "\(loaded.name)@\(loaded.version)\(prediction.summary.clause.map { ", \($0)" } ?? "")."
        ]
        if loaded.synthetic { lines.append("warning: the model was trained on synthetic rows.") }
        if !prediction.spared.isEmpty {
            lines.append(
                "The file lacks \(prediction.spared.joined(separator: ", ")); the model does not need it to score.")
        }
        if prediction.alone {
            lines.append("The source has no key, so the records were scored without what the lake knows already.")
        }
        if let leftOut = prediction.leftOut, leftOut > 0 {
            let (have, them) = leftOut == 1 ? ("has", "it") : ("have", "them")
            lines.append(
                "\(counted(leftOut, "record")) \(have) no score: the project's SQL leaves \(them) out: \(keys)")
        }
        if prediction.rejected > 0 {
            let (broke, have) = prediction.rejected == 1 ? ("breaks", "has") : ("break", "have")
            lines.append(
                "\(counted(prediction.rejected, "record")) \(broke) the contract and \(have) no score: \(rows)")
            lines += prediction.breaches.prefix(5).map { breach in
                "  \(breach.column ?? "line"): \(breach.rule), \(counted(breach.rows, "row")), "
                    + "e.g. row \(breach.exampleRow ?? 0): \(breach.example ?? "(missing)")"
            }
        }
        return lines
    }

    /// The first of a list, and how many more there are.
    private func first(_ items: [String]) -> String {
        items.prefix(10).joined(separator: ", ") + (items.count > 10 ? " and \(grouped(items.count - 10)) more" : "")
    }

    private var keys: String {
        first(prediction.unscored.compactMap { $0.key.map { "\(prediction.loaded.specification.key) \($0)" } })
    }

    private var rows: String {
        let rows = prediction.unscored.compactMap { $0.row.map { "\($0)" } }
        return "\(rows.count == 1 ? "row" : "rows") \(first(rows))"
    }
}
