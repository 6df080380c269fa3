internal import JSONText

/// Parser of Open Inference Protocol version 2 requests (`infer`), in JSON or with binary tensor data.
///
/// Rows are either one tensor a column ([n] or [n, 1], named like it) or one tensor [n, k] with all k columns in the
/// signature's order.
package struct TensorRequest: Sendable {
    /// A requested output, and whether it is returned as bytes.
    package struct Output: Sendable {
        /// Name of the output as the client wrote it; a model has "probability", "decision" and maybe "band".
        package let name: String
        /// Whether the output is returned as bytes; `nil`: as the request's `isBinary` says.
        package let isBinary: Bool?
    }

    /// Id of the request, returned in the response.
    package private(set) var id: String?
    /// The requested outputs; empty for all.
    package private(set) var outputs: [Output] = []
    /// Default for outputs: whether they are returned as bytes.
    package private(set) var isBinary = false
    /// Whether the client asks for reasons.
    package private(set) var explain = false

    struct Tensor {
        var name = ""
        var shape: [Int] = []
        var type: TensorType?
        var binarySize: Int?
        /// Where the data stand in the JSON.
        var data: JSONScanner?
    }

    /// Parses a body into the batch.
    /// - Parameters:
    ///   - jsonBytes: how many bytes at the front are JSON, where tensors follow as bytes; `nil` if all are.
    /// - Throws: `serving.malformed`, `serving.shape`, `serving.too-many-rows`.
    package init(
        _ body: UnsafeRawBufferPointer, jsonBytes: Int?, into batch: RowBatch, mostRows: Int
    ) throws(InputFault) {
        let split = jsonBytes ?? body.count
        guard split >= 0, split <= body.count else {
            throw InputFault(
                .shape, at: "$", "Inference-Header-Content-Length is \(split); the body has \(body.count) bytes.")
        }
        var tensors: [Tensor] = []
        var scanner = JSONScanner(UnsafeRawBufferPointer(rebasing: body[..<split]))
        scanner.takesNotFinite = true
        do { try read(&scanner, &tensors) } catch { throw InputFault(reading: error) }
        let rest = UnsafeRawBufferPointer(rebasing: body[split...])
        try TensorRows(JSONRows(batch, mostRows: mostRows)).fill(tensors, binary: rest)
    }

    private mutating func read(_ scanner: inout JSONScanner, _ tensors: inout [Tensor]) throws {
        try scanner.expect(UInt8(ascii: "{"), "an object")
        if scanner.take(UInt8(ascii: "}")) { throw InputFault(.shape, at: "$", "There are no inputs.") }
        repeat {
            switch scanner.string(try scanner.key()) {
            case "id":
                scanner.skipSpace()
                id = scanner.string(try scanner.text())
            case "inputs":
                try scanner.expect(UInt8(ascii: "["), "a list of tensors")
                if scanner.take(UInt8(ascii: "]")) { continue }
                repeat { tensors.append(try tensor(&scanner)) } while try scanner.more(UInt8(ascii: "]"))
            case "outputs":
                try scanner.expect(UInt8(ascii: "["), "a list of outputs")
                if scanner.take(UInt8(ascii: "]")) { continue }
                repeat { try output(&scanner) } while try scanner.more(UInt8(ascii: "]"))
            case "parameters":
                let flags = try parameters(&scanner)
                isBinary = flags["binary_data_output"] == 1
                explain = flags["explain"] == 1
            default: try scanner.skipValue()
            }
        } while try scanner.more(UInt8(ascii: "}"))
        try scanner.expectEnd()
    }

    private func tensor(_ scanner: inout JSONScanner) throws -> Tensor {
        var tensor = Tensor()
        try scanner.expect(UInt8(ascii: "{"), "a tensor")
        repeat {
            switch scanner.string(try scanner.key()) {
            case "name":
                scanner.skipSpace()
                tensor.name = scanner.string(try scanner.text())
            case "datatype":
                scanner.skipSpace()
                let name = scanner.string(try scanner.text())
                guard let type = TensorType(rawValue: name) else {
                    throw InputFault(.shape, at: "$.inputs", "There is no datatype \(RowBatch.shown(name)).")
                }
                tensor.type = type
            case "shape":
                try scanner.expect(UInt8(ascii: "["), "a shape")
                if scanner.take(UInt8(ascii: "]")) { continue }
                repeat {
                    guard scanner.next() == .number, let size = Int(exactly: try scanner.double()), size >= 0 else {
                        throw InputFault(.shape, at: "$.inputs", "A shape consists of whole numbers from 0.")
                    }
                    tensor.shape.append(size)
                } while try scanner.more(UInt8(ascii: "]"))
            case "parameters": tensor.binarySize = try parameters(&scanner)["binary_data_size"]
            case "data":
                tensor.data = scanner
                try scanner.skipValue()
            default: try scanner.skipValue()
            }
        } while try scanner.more(UInt8(ascii: "}"))
        return tensor
    }

    private mutating func output(_ scanner: inout JSONScanner) throws {
        var name = ""
        var asBytes: Bool?
        let path = "$.outputs[\(outputs.count)]"
        try scanner.expect(UInt8(ascii: "{"), "an output")
        repeat {
            switch scanner.string(try scanner.key()) {
            case "name":
                scanner.skipSpace()
                name = scanner.string(try scanner.text())
            case "parameters":
                let found = try parameters(&scanner)
                asBytes = found["binary_data"].map { $0 == 1 }
                if (found["classification"] ?? 0) != 0 || found.keys.contains(where: { $0.hasPrefix("shared_memory") })
                {
                    throw InputFault(
                        .shape, at: "\(path).parameters",
                        "Outputs are given as they are, in the answer: there is no classification and no shared memory."
                    )
                }
            default: try scanner.skipValue()
            }
        } while try scanner.more(UInt8(ascii: "}"))
        // Each has as many elements as there are rows: a body that names one often would ask for more than it is.
        if outputs.contains(where: { $0.name == name }) {
            throw InputFault(.shape, at: path, "The output \(RowBatch.shown(name)) is asked for twice.")
        }
        if outputs.count == Self.mostOutputs {
            throw InputFault(.shape, at: path, "At most \(Self.mostOutputs) outputs may be named.")
        }
        outputs.append(Output(name: name, isBinary: asBytes))
    }

    private static let mostOutputs = 16

    /// The whole numbers and truth values (1 and 0) among some parameters; of the others 0, since they are there.
    private func parameters(_ scanner: inout JSONScanner) throws -> [String: Int] {
        var found: [String: Int] = [:]
        try scanner.expect(UInt8(ascii: "{"), "parameters")
        if scanner.take(UInt8(ascii: "}")) { return found }
        repeat {
            let name = scanner.string(try scanner.key())
            switch scanner.next() {
            case .flag: found[name] = try scanner.flag() ? 1 : 0
            case .number: found[name] = Int(exactly: try scanner.double())
            default:
                try scanner.skipValue()
                found[name] = 0
            }
        } while try scanner.more(UInt8(ascii: "}"))
        return found
    }
}
