import Foundation
import Training

/// A file of reference values beside these tests, written by scripts/fixtures/training.py.
func fixture<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
    let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let data = try Data(contentsOf: here.appendingPathComponent("Fixtures/\(name).json"))
    return try JSONDecoder().decode(Value.self, from: data)
}

func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// The largest difference between two lists of the same length; infinite if the lengths differ.
func gap(_ a: [Double], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).map { abs($0 - $1) }.max() ?? 0
}

func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
    try JSONDecoder().decode(Value.self, from: try JSONEncoder().encode(value))
}
