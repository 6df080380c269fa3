import Core
import Foundation
import Serving
import Training

/// Schemas that rows are read by, and what comes of a body.
enum Bodies {
    static let signature = Signature(columns: [
        .init(name: "age", type: .number, levels: [], missing: .native, rare: nil),
        .init(name: "lab value", type: .number, levels: [], missing: .native, rare: nil),
        .init(
            name: "unit", type: .category, levels: ["A", "true", "1.5", "7", "missing", "rare"], missing: .level,
            rare: "rare"),
        .init(name: "ward", type: .category, levels: ["icu", "b,\"c", "é"], missing: .native, rare: nil),
    ])
    static let strict = RowSchema(
        signature, ranges: ["age": .init(minimum: 0, maximum: 120)], entity: "patient")
    /// Nothing is refused for its values, so that more of a body is read.
    static let lenient = RowSchema(
        signature,
        policy: {
            var policy = InputPolicy()
            policy.standard.missingColumn = .warn
            policy.standard.wrongType = .missing
            policy.standard.unknownCategory = .warn
            policy.standard.outOfRange = .warn
            return policy
        }(), ranges: ["age": .init(minimum: 0, maximum: 120)], entity: "patient")
    static let mostRows = 50
    nonisolated(unsafe) static let usedStrict = RowBatch(strict)
    nonisolated(unsafe) static let usedLenient = RowBatch(lenient)
    static var width: Int { signature.columns.count }

    /// What reading gave, to be compared.
    struct Outcome {
        var refusal: InputFault?
        var values: [Double] = []
        var rows = 0
        var faults: [InputFault] = []
        var warnings: [InputFault] = []
        var further = 0
        var entities: [String?] = []
        var isAccepted: Bool { refusal == nil && faults.isEmpty }

        init(_ batch: RowBatch, _ read: (RowBatch) throws -> Void) {
            do { try read(batch) } catch let fault as InputFault { refusal = fault } catch {
                demand(false, "only InputFault is thrown, not \(error)")
            }
            values = Array(batch.rows)
            rows = batch.count
            (faults, warnings, further) = (batch.faults, batch.warnings, batch.furtherWarnings)
            entities = batch.entities
            demand(faults.count <= 20 && warnings.count <= 20, "faults and warnings are bounded")
        }

        func equals(_ other: Outcome) -> Bool {
            refusal == other.refusal && sameBits(values, other.values) && rows == other.rows && faults == other.faults
                && warnings == other.warnings && further == other.further && entities == other.entities
        }
    }

    /// Reads by a new batch and by one that was used before: they must not differ. Gives the lenient outcome.
    static func read(_ what: String, _ read: (RowBatch, RowSchema) throws -> Void) -> Outcome {
        func both(_ used: RowBatch, _ schema: RowSchema) -> Outcome {
            let fresh = Outcome(RowBatch(schema)) { try read($0, schema) }
            used.reset(schema)
            let again = Outcome(used) { try read($0, schema) }
            demand(fresh.equals(again), "\(what): a used batch reads as a new one does: \(fresh) and \(again)")
            return fresh
        }
        _ = both(usedStrict, strict)
        return both(usedLenient, lenient)
    }

    static func sameBits(_ one: [Double], _ other: [Double]) -> Bool {
        one.count == other.count
            && zip(one, other).allSatisfy { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) }
    }

    /// What Foundation's decoder makes of a text, which must take what we took.
    static func reference(_ what: String, _ bytes: UnsafeRawBufferPointer) -> JSONValue? {
        if let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) { return value }
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
        // Half a surrogate pair is U+FFFD here and refused there.
        if text.contains("\\ud") { return nil }
        // A number that no double holds, where nobody looks at it; also in a member that comes again.
        let numbers = text.split { !"0123456789+-.e".contains($0) }
        demand(
            numbers.contains { Double($0).map { !$0.isFinite } ?? false },
            "\(what): what is accepted, Foundation accepts: \(text)")
        return nil
    }

    /// The same rows in every other form must give the same values.
    static func agree(_ what: String, _ outcome: Outcome) {
        guard outcome.isAccepted, outcome.rows > 0, outcome.rows <= 12 else { return }
        let forms = Forms(rows: outcome.values)
        func check(_ name: String, _ body: [UInt8], _ read: (UnsafeRawBufferPointer, RowBatch) throws -> Void) {
            let batch = RowBatch(lenient)
            let other = body.withUnsafeBytes { bytes in Outcome(batch) { try read(bytes, $0) } }
            demand(
                other.isAccepted && sameBits(other.values, outcome.values),
                "\(what): the rows as \(name) read alike: \(String(decoding: body, as: UTF8.self)) gave \(other), not \(outcome.values)"
            )
        }
        check("records", forms.records) { _ = try NativeRequest($0, into: $1, mostRows: mostRows) }
        check("columns", forms.columns) { _ = try NativeRequest($0, into: $1, mostRows: mostRows) }
        check("dataframe_split", forms.split) { _ = try MLflowRequest($0, into: $1, mostRows: mostRows) }
        check("instances", forms.instances) { _ = try MLflowRequest($0, into: $1, mostRows: mostRows) }
        check("tensors", forms.tensors) { _ = try TensorRequest($0, jsonBytes: nil, into: $1, mostRows: mostRows) }
        let (binary, json) = forms.binaryTensors
        check("binary tensors", binary) { _ = try TensorRequest($0, jsonBytes: json, into: $1, mostRows: mostRows) }
        check("CSV", forms.csv) { bytes, batch in
            var rows = CSVRows(lenient)
            let used = try rows.read(bytes, into: batch, upTo: mostRows, isLast: true)
            demand(used == bytes.count, "CSV is read to its end")
        }
    }
}
