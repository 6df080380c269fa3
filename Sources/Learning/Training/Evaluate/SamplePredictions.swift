package import Core

/// Rows of the test part as a client would send them, with what the learner's own library said of them at training.
/// Whatever serves the version later must say the same, to the bit, before it may answer.
package struct SamplePredictions: Sendable, Equatable, Codable {
    /// The most rows that are kept.
    package static let most = 64

    /// Feature values by name; null where missing.
    package let records: [[String: JSONValue]]
    /// The calibrated probability of each record.
    package let probabilities: [Double]

    package init(records: [[String: JSONValue]], probabilities: [Double]) {
        self.records = records
        self.probabilities = probabilities
    }

    /// Picks test rows evenly from the lowest to the highest probability.
    package init(of model: TrainedModel, columns: [NamedColumn]) {
        let ranked = zip(model.testRows, model.testProbabilities).enumerated()
            .sorted { ($0.element.1, $0.offset) < ($1.element.1, $1.offset) }
            .map(\.element)
        let count = min(Self.most, ranked.count)
        let picked = (0..<count).map { ranked[count == 1 ? 0 : $0 * (ranked.count - 1) / (count - 1)] }
        records = picked.map { row, _ in
            Dictionary(columns.map { ($0.name, $0.column.json(at: row)) }, uniquingKeysWith: { first, _ in first })
        }
        probabilities = picked.map(\.1)
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
