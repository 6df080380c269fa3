import Serving
import Testing
import Training

/// What clients write who mean the same, and who ask for more than there is.
@Suite struct `Bodies of clients` {
    private static let schema = RowSchema(
        Signature(columns: [
            .init(name: "age", type: .number, levels: [], missing: .native, rare: nil),
            .init(name: "unit", type: .category, levels: ["A", "missing"], missing: .level, rare: nil),
        ]), entity: "id")

    /// The values and the faults that a form makes of a body; missing numbers as -1.
    private func read(
        _ body: String, _ form: (UnsafeRawBufferPointer, RowBatch) throws -> Void
    ) throws -> (values: [Double], faults: [String], entities: [String?]) {
        let batch = RowBatch(Self.schema)
        try Array(body.utf8).withUnsafeBytes { try form($0, batch) }
        return (
            batch.rows.map { $0.isNaN ? -1 : $0 }, batch.faults.map { "\($0.path) \($0.code.rawValue)" }, batch.entities
        )
    }

    private func native(_ body: String) throws -> (values: [Double], faults: [String], entities: [String?]) {
        try read(body) { _ = try NativeRequest($0, into: $1, mostRows: 100) }
    }

    private func mlflow(_ body: String) throws -> (values: [Double], faults: [String], entities: [String?]) {
        try read(body) { _ = try MLflowRequest($0, into: $1, mostRows: 100) }
    }

    private func tensors(_ body: String) throws -> (values: [Double], faults: [String], entities: [String?]) {
        try read(body) { _ = try TensorRequest($0, jsonBytes: nil, into: $1, mostRows: 100) }
    }

    @Test(arguments: ["NaN", "Infinity", "-Infinity", "null"])
    func `of MLflow and of tensors have numbers that are none as missing values`(_ word: String) throws {
        let missing = [-1.0, 1]
        for body in [
            #"{"dataframe_split":{"columns":["age","unit"],"data":[[W,W]]}}"#,
            #"{"dataframe_records":[{"age":W,"unit":W}],"params":{"x":W}}"#, #"{"instances":[[W,W]]}"#,
            #"{"inputs":{"age":[W],"unit":[W]}}"#,
        ] {
            #expect(try mlflow(body.replacing("W", with: word)).values == missing, "\(body)")
        }
        let body =
            #"{"inputs":[{"name":"age","shape":[1],"datatype":"FP64","data":[W]},"#
            + #"{"name":"unit","shape":[1,1],"datatype":"BYTES","data":[[W]]}]}"#
        #expect(try tensors(body.replacing("W", with: word)).values == missing)
        if word == "null" { return }
        let fault = #expect(throws: InputFault.self) { try native(#"{"record":{"age":\#(word),"unit":"A"}}"#) }
        #expect(fault?.detail.contains("NaN or Infinity") == true)
    }

    @Test func `that break off within such a word are refused`() throws {
        for word in ["Na", "Infinit", "-Inf", "NaNN", "Infinityy", "-NaN", "nan"] {
            #expect(throws: InputFault.self, "\(word)") { try mlflow(#"{"instances":[[\#(word),"A"]]}"#) }
        }
    }

    @Test func `have an empty text for no value where a category belongs`() throws {
        // Martlet's own form has null, and tells of a text that training did not see.
        #expect(
            try native(#"{"record":{"age":1,"unit":""}}"#).values == native(#"{"record":{"age":1,"unit":"?"}}"#).values)
        #expect(try mlflow(#"{"instances":[[1,""]]}"#).values == [1, 1])
        #expect(
            try tensors(
                #"{"inputs":[{"name":"age","shape":[1],"datatype":"BYTES","data":[""]},"#
                    + #"{"name":"unit","shape":[1],"datatype":"BYTES","data":[""]}]}"#
            ).values == [-1, 1])
        #expect(try native(#"{"record":{"age":"","unit":"A"}}"#).faults == ["$.record.age serving.wrong-type"])
    }

    @Test func `may spell the names of members with escapes`() throws {
        #expect(try native(#"{"\u0072ecord":{"\u0061ge":2,"unit":"A"},"e\u0078plain":false}"#).values == [2, 0])
        #expect(try native(#"{"rec\u006frds":[{"age":2,"unit":"A"}]}"#).values == [2, 0])
        #expect(
            try mlflow(
                #"{"dataframe\u005fsplit":{"\u0063olumns":["unit","age"],"d\u0061ta":[["A",3]],"inde\u0078":[0]}}"#
            ).values == [3, 0])
    }

    @Test func `name whom a row is about once, by a text or a number`() throws {
        #expect(
            try native(#"{"record":{"age":1,"unit":"A","id":12345678901234567890}}"#).entities == [
                "12345678901234567890"
            ])
        #expect(try native(#"{"columns":{"id":["a",null],"age":[1,2],"unit":["A","A"]}}"#).entities == ["a", nil])
        for value in ["true", "[1]", #"{"a":1}"#, "\"\(String(repeating: "e", count: 4_001))\""] {
            #expect(
                try native(#"{"record":{"age":1,"unit":"A","id":\#(value)}}"#).faults
                    == ["$.record.id serving.wrong-type"], "\(value)")
        }
        #expect(
            try native(#"{"records":[{"id":"a","age":1,"unit":"A"},{"id":"b","age":1,"unit":"A","id":"b"}]}"#).faults
                == ["$.records[1].id serving.repeated-column"])
        #expect(
            try native(#"{"columns":{"id":["a"],"age":[1],"unit":["A"],"id":["b"]}}"#).faults
                == ["$.columns.id[0] serving.repeated-column"])
        #expect(
            try mlflow(#"{"dataframe_split":{"columns":["id","age","unit","id"],"data":[[1,1,"A",2]]}}"#).faults
                == ["$.dataframe_split.data[0][3] serving.repeated-column"])
    }

    @Test func `of tensors ask for each output once, and for a few`() throws {
        func asking(_ outputs: String) throws -> [TensorRequest.Output] {
            let batch = RowBatch(Self.schema)
            let body =
                #"{"inputs":[{"name":"age","shape":[1],"datatype":"FP64","data":[1]},"#
                + #"{"name":"unit","shape":[1],"datatype":"BYTES","data":["A"]}],"outputs":[\#(outputs)]}"#
            return try Array(body.utf8).withUnsafeBytes {
                try TensorRequest($0, jsonBytes: nil, into: batch, mostRows: 100).outputs
            }
        }
        func output(_ name: String, _ parameters: String = "") -> String {
            #"{"name":"\#(name)","parameters":{\#(parameters)}}"#
        }
        #expect(
            try asking([output("a"), output("b", #""binary_data":true"#)].joined(separator: ",")).map(\.isBinary) == [
                nil, true,
            ])
        for (outputs, path) in [
            ([output("a"), output("b"), output("a")], "$.outputs[2]"),
            ((0..<17).map { output("o\($0)") }, "$.outputs[16]"),
            ([output("a", #""classification":2"#)], "$.outputs[0].parameters"),
            ([output("a", #""shared_memory_region":"r""#)], "$.outputs[0].parameters"),
            ([output("a", #""shared_memory_offset":0"#)], "$.outputs[0].parameters"),
        ] {
            let fault = #expect(throws: InputFault.self) { try asking(outputs.joined(separator: ",")) }
            #expect(fault?.path == path && fault?.code == .shape)
        }
    }

    @Test(arguments: [BatchForm.csv, .jsonLines], [1, 2, 7, 1000])
    func `in files are cut by rows as well as by bytes`(_ form: BatchForm, _ most: Int) throws {
        let lines = (0..<25).map { form == .csv ? "\($0),\($0 % 5 == 3 ? "\"A\nB\"" : "A")" : #"{"age":\#($0)}"# }
        let head = form == .csv ? "age,unit\n" : ""
        for quoted in [true, false] {
            let all = quoted ? lines : lines.map { $0.replacing("\"", with: "").replacing("\n", with: "") }
            let bytes = Array((head + all.joined(separator: "\n") + (quoted ? "" : "\n")).utf8)
            for piece in [3, 40, bytes.count] {
                var splitter = BatchSplitter(form, blockBytes: 1 << 20, recordBytes: 1000, blockRows: most)
                var slices: [[UInt8]] = []
                for from in stride(from: 0, to: bytes.count, by: piece) {
                    try bytes[from..<min(bytes.count, from + piece)].withUnsafeBytes { try splitter.append($0) }
                    while let slice = splitter.next() { slices.append(slice.bytes) }
                }
                while true {
                    let rest = try splitter.rest()
                    if rest.bytes.isEmpty { break }
                    slices.append(rest.bytes)
                }
                #expect(Array(slices.joined()) == bytes, "\(form) \(most) \(piece)")
                // A quoted newline is inside a record; the header counts as one.
                let records = slices.map { slice in slice.split(separator: 10).count { $0.first != UInt8(ascii: "B") } }
                #expect(records.allSatisfy { $0 <= most }, "\(records)")
            }
        }
    }
}
