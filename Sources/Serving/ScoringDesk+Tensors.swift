internal import Training

extension ScoringDesk {
    /// Names of the outputs that a model has.
    package static func outputs(of model: ServedModel) -> [(name: String, type: TensorType)] {
        [("probability", .fp64), ("decision", .bool)] + (model.bands == nil ? [] : [("band", .bytes)])
    }

    /// Writes the answer of the Open Inference Protocol.
    /// - Returns: how many bytes are JSON, if tensors follow as bytes.
    /// - Throws: `serving.shape` when an output was asked for that there is not.
    func write(tensors request: TensorRequest, _ model: ServedModel, name: String) throws -> Int? {
        let known = Self.outputs(of: model)
        var wanted: [(name: String, type: TensorType, isBinary: Bool)] = []
        for output in request.outputs {
            guard let found = known.first(where: { $0.name == output.name }) else {
                throw InputFault(
                    .shape, at: "$.outputs",
                    "There is no output \(RowBatch.shown(output.name)); there is \(known.map(\.name).joined(separator: ", "))."
                )
            }
            wanted.append((found.name, found.type, output.isBinary))
        }
        if wanted.isEmpty { wanted = known.map { ($0.name, $0.type, request.isBinary) } }
        var tail: [UInt8] = []
        writer.removeAll()
        writer.raw("{\"model_name\":")
        writer.text(name)
        writer.raw(",\"model_version\":\"")
        writer.integer(model.version)
        writer.raw("\"")
        if let id = request.id {
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
