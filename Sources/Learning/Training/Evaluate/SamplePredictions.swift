package import Core

/// Sample of test rows with the predictions made at training, to verify a serving implementation.
///
/// ```swift
/// let samples = SamplePredictions(of: trained, columns: input.columns)
/// ```
///
/// Whatever serves the version later must give the same scores, to the bit, before it may answer.
package struct SamplePredictions: Sendable, Equatable, Codable {
    /// Largest number of rows that are kept.
    package static let most = 64

    /// Feature values of each row by name; null where missing.
    package let records: [[String: JSONValue]]
    /// The score of each record's outcome; for a binary model the calibrated probability.
    package let scores: [Double]

    private enum CodingKeys: String, CodingKey {
        case records
        case scores = "probabilities"
    }

    package init(records: [[String: JSONValue]], scores: [Double]) {
        self.records = records
        self.scores = scores
    }

    /// Picks test rows evenly spaced from the lowest to the highest score.
    package init(of model: TrainedModel, columns: [NamedColumn]) {
        let ranked = zip(model.testRows, model.testOutcomes.map(\.score)).enumerated()
            .sorted { ($0.element.1, $0.offset) < ($1.element.1, $1.offset) }
            .map(\.element)
        let count = min(Self.most, ranked.count)
        let picked = (0..<count).map { ranked[count == 1 ? 0 : $0 * (ranked.count - 1) / (count - 1)] }
        records = picked.map { row, _ in
            Dictionary(columns.map { ($0.name, $0.column.json(at: row)) }, uniquingKeysWith: { first, _ in first })
        }
        scores = picked.map(\.1)
    }
}

extension Column {
    fileprivate func json(at row: Int) -> JSONValue {
        switch self {
        case .number(let values): values[row].isFinite ? .number(values[row]) : .null
        case .category(let codes, let levels):
            levels.indices.contains(Int(codes[row])) ? .text(levels[Int(codes[row])]) : .null
        }
    }
}
