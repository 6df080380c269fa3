internal import Training

extension ScoringSession {
    /// Returns names and types of the outputs that a model has.
    package static func outputs(of model: ServedModel) -> [(name: String, type: TensorType)] {
        [("probability", .fp64), ("decision", .bool)] + (model.bands == nil ? [] : [("band", .bytes)])
    }

    /// The outputs that a request asks for, each once: with its rows they bound the answer.
    /// - Throws: `serving.shape` for one that there is not.
    static func wanted(by request: TensorRequest, of model: ServedModel) throws(InputFault) -> [WantedOutput] {
        let known = outputs(of: model)
        if request.outputs.isEmpty { return known.map { WantedOutput($0.name, $0.type, isBinary: request.isBinary) } }
        return try request.outputs.enumerated().map { place, output throws(InputFault) in
            guard let found = known.first(where: { $0.name == output.name }) else {
                throw InputFault(
                    .shape, at: "$.outputs[\(place)]",
                    "There is no output \(RowBatch.shown(output.name)); there is \(known.map(\.name).joined(separator: ", "))."
                )
            }
            return WantedOutput(found.name, found.type, isBinary: output.isBinary ?? request.isBinary)
        }
    }

    struct WantedOutput {
        let name: String
        let type: TensorType
        let isBinary: Bool

        init(_ name: String, _ type: TensorType, isBinary: Bool) {
            self.name = name
            self.type = type
            self.isBinary = isBinary
        }
    }

    /// Writes the answer of the Open Inference Protocol.
    /// - Returns: how many bytes are JSON, if tensors follow as bytes.
    func write(tensors wanted: [WantedOutput], id: String?, _ model: ServedModel, name: String) -> Int? {
        var tail: [UInt8] = []
        writer.removeAll()
        writer.raw("{\"model_name\":")
        writer.text(name)
        writer.raw(",\"model_version\":\"")
        writer.integer(model.version)
        writer.raw("\"")
        if let id {
            writer.raw(",\"id\":")
            writer.text(id)
        }
        writer.raw(",\"outputs\":[")
        for (index, output) in wanted.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.raw("{\"name\":")
            writer.text(output.name)
            writer.raw(",\"datatype\":")
            writer.text(output.type.rawValue)
            writer.raw(",\"shape\":[")
            writer.integer(batch.count)
            writer.raw("]")
            if output.isBinary {
                let start = tail.count
                append(output.type, model, to: &tail)
                writer.raw(",\"parameters\":{\"binary_data_size\":")
                writer.integer(tail.count - start)
                writer.raw("}}")
            } else {
                writer.raw(",\"data\":[")
                writeData(output.type, model)
                writer.raw("]}")
            }
        }
        writer.raw("]}")
        guard wanted.contains(where: \.isBinary) else { return nil }
        let count = writer.bytes.count
        writer.raw(tail)
        return count
    }

    private func writeData(_ type: TensorType, _ model: ServedModel) {
        for row in 0..<batch.count {
            if row > 0 { writer.raw(",") }
            switch type {
            case .bool: writer.flag(model.isPositive(probabilities[row]))
            case .bytes: writer.text(model.bands?.band(of: probabilities[row]).rawValue ?? "")
            default: writer.number(probabilities[row])
            }
        }
    }

    private func append(_ type: TensorType, _ model: ServedModel, to bytes: inout [UInt8]) {
        for row in 0..<batch.count {
            let probability = probabilities[row]
            switch type {
            case .bool: bytes.append(model.isPositive(probability) ? 1 : 0)
            case .bytes:
                let text = Array((model.bands?.band(of: probability).rawValue ?? "").utf8)
                withUnsafeBytes(of: UInt32(text.count).littleEndian) { bytes.append(contentsOf: $0) }
                bytes.append(contentsOf: text)
            default: withUnsafeBytes(of: probability.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
            }
        }
    }
}
