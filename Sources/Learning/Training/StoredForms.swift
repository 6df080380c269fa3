internal import Core

// What a run stores must be read by later versions of Martlet, and as far as it goes by earlier ones: members that are
// not known are passed over, members that are not there have the value that a project file would give them. What decides
// a score must be there, and be known: a task, a learner, a format or a kind of calibration of another version is an error.

extension KeyedDecodingContainer {
    /// The value of a member, or what it was before records had it.
    func decode<Value: Decodable>(_ key: Key, or standard: @autoclosure () -> Value) throws -> Value {
        try decodeIfPresent(Value.self, forKey: key) ?? standard()
    }

    /// Reads a list of gates; those on metrics that the task does not have are skipped, whatever else they say.
    func decodeGates(_ key: Key, of metrics: [Metric]) throws -> [QualityGate] {
        guard contains(key) else { return [] }
        var (list, names) = (try nestedUnkeyedContainer(forKey: key), try nestedUnkeyedContainer(forKey: key))
        var gates: [QualityGate] = []
        while !list.isAtEnd {
            if metrics.contains(try names.decode(NamedGate.self).metric) {
                gates.append(try list.decode(QualityGate.self))
            } else {
                _ = try list.decode(NamedGate.self)
            }
        }
        return gates
    }
}

/// The metric of a gate, whatever else it says.
private struct NamedGate: Decodable { let metric: Metric }

/// Decoder of records that a training run stored as JSON artifacts.
///
/// ```swift
/// let record = try Stored.read(ModelRecord.self, bytes, "model.json of readmission@3")
/// ```
package enum Stored {
    /// Decodes a stored record and checks that this version supports it.
    /// - Parameter what: names it in messages: "model.json of readmission@3".
    /// - Throws: `model.unreadable` with the place, for what is damaged or of a kind that is not known; `model.task`.
    package static func read<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8], _ what: String) throws -> Value {
        do { return try JSON.decode(type, from: bytes) } catch let error as DecodingError {
            let (context, problem) = explain(error)
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw MartletError(
                .input, "model.unreadable", "\(what) cannot be read\(path.isEmpty ? "" : ": \(path)"): \(problem).",
                remedy: "Use the version of Martlet that trained it, restore the artifact, or train again.")
        } catch let error as MartletError { throw error.sentence(at: .init(file: what)) }
    }

    private static func explain(_ error: DecodingError) -> (DecodingError.Context, String) {
        switch error {
        case .keyNotFound(let key, let context): (context, "\(key.stringValue) is missing")
        case .dataCorrupted(let context): (context, context.debugDescription.sentenceless)
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            (context, context.debugDescription.sentenceless)
        @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "\(error)")
        }
    }
}

extension String {
    fileprivate var sentenceless: String { hasSuffix(".") ? String(dropLast()) : self }
}
