import Serving
import Testing
import Training

/// What the fuzzers found (docs/torture.md).
@Suite struct `A batch that was used before` {
    @Test func `places values by the body that it reads, not by the one before`() throws {
        let schema = RowSchema(
            Signature(columns: [
                .init(name: "age", type: .number, levels: [], missing: .native, rare: nil),
                .init(name: "unit", type: .category, levels: ["A"], missing: .native, rare: nil),
            ]))
        let batch = RowBatch(schema)
        func paths(_ body: String) throws -> [String] {
            batch.reset(schema)
            _ = try Array(body.utf8).withUnsafeBytes { try MLflowRequest($0, into: batch, mostRows: 10) }
            return batch.faults.map(\.path)
        }
        let split = #"{"dataframe_split":{"columns":["unit","age"],"data":[["A","old"]]}}"#
        #expect(try paths(split) == ["$.dataframe_split.data[0][1]"])
        #expect(try paths(#"{"instances":[["old","A"]]}"#) == ["$.instances[0][0]"])
    }
}
