internal import Training

extension ScoringSession {
    /// `{"project","model","version","request_id","predictions":[{"probability","decision","band"?,"reasons"?}],
    /// "warnings"?}`.
    func begin(native model: ServedModel, requestID: String) {
        writer.removeAll()
        writer.raw("{")
        writer.raw(model.head)
        writer.raw(",\"request_id\":")
        writer.text(requestID)
        writer.raw(",\"predictions\":[")
    }

    /// Writes predictions with their reasons for the next rows of an answer that `open` began.
    ///
    /// - Parameter rows: the rows, following those of the call before.
    package func explain(_ rows: Range<Int>, by model: ServedModel) throws {
        for row in rows { try write(row, model) { try write(reasonsOf: row, model) } }
    }

    func write(_ row: Int, _ model: ServedModel, reasons: () throws -> Void) rethrows {
        if row > 0 { writer.raw(",") }
        let probability = probabilities[row]
        writer.raw("{\"probability\":")
        writer.number(probability)
        writer.raw(",\"decision\":")
        writer.flag(model.isPositive(probability))
        if let bands = model.bands {
            switch bands.band(of: probability) {
            case .low: writer.raw(",\"band\":\"low\"")
            case .medium: writer.raw(",\"band\":\"medium\"")
            case .high: writer.raw(",\"band\":\"high\"")
            }
        }
        try reasons()
        writer.raw("}")
    }

    /// Ends the answer that `open` began.
    package func close() {
        writer.raw("]")
        if !batch.warnings.isEmpty { writeWarnings() }
        writer.raw("}")
    }

    private func write(reasonsOf row: Int, _ model: ServedModel) throws {
        let values = batch.row(row)
        let reasons = try Explanation(model.forest, row: values)
        writer.raw(",\"reasons\":{\"base\":")
        writer.number(reasons.base)
        writer.raw(",\"margin\":")
        writer.number(reasons.margin)
        writer.raw(",\"contributions\":[")
        for (index, place) in reasons.ranked.enumerated() {
            let feature = model.signature.columns[place]
            if index > 0 { writer.raw(",") }
            writer.raw("{\"feature\":")
            writer.text(feature.name)
            writer.raw(",\"value\":")
            let value = values[place]
            if let shown = model.schema.columns[place].shown(value) {
                writer.text(shown)
            } else if feature.type == .category {
                writer.raw("null")
            } else {
                writer.number(value)
            }
            writer.raw(",\"contribution\":")
            writer.number(reasons.contributions[place])
            writer.raw("}")
        }
        writer.raw("]}")
    }

    private func writeWarnings() {
        writer.raw(",\"warnings\":[")
        for (index, warning) in batch.warnings.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.raw("{\"path\":")
            writer.text(warning.path)
            writer.raw(",\"code\":")
            writer.text(warning.code.rawValue)
            writer.raw(",\"detail\":")
            writer.text(warning.detail)
            writer.raw("}")
        }
        writer.raw("]")
        if batch.furtherWarnings > 0 {
            writer.raw(",\"further_warnings\":")
            writer.integer(batch.furtherWarnings)
        }
    }

    /// `{"predictions":[…]}`.
    func writeMLflow() {
        writer.removeAll()
        writer.raw("{\"predictions\":[")
        for row in 0..<batch.count {
            if row > 0 { writer.raw(",") }
            writer.number(probabilities[row])
        }
        writer.raw("]}")
    }
}
