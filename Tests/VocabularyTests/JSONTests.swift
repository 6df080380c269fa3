import Testing
import Vocabulary

@Suite struct `JSON values` {
    @Test(arguments: [
        "null", "true", "0", "-9223372036854775808", "9223372036854775807", "1.5", "\"\"", "\"a \\\" b\"", "[]", "{}",
        "[1,[2,[3,{\"a\":null}]]]", "{\"a\":1,\"b\":{\"c\":\"d/e\"}}", "\"snow ☃ 🐦\"",
    ])
    func `come back as they were written`(text: String) throws {
        let value = try JSON.decode(JSONValue.self, from: text)
        #expect(try JSON.text(value) == text)
        #expect(try JSON.decode(JSONValue.self, from: try JSON.text(value, pretty: true)) == value)
    }

    @Test func `are written with sorted keys, so equal values give equal bytes`() throws {
        let value = try JSON.decode(JSONValue.self, from: "{\"b\":1,\"a\":2,\"c\":{\"z\":0,\"y\":0}}")
        #expect(try JSON.text(value) == "{\"a\":2,\"b\":1,\"c\":{\"y\":0,\"z\":0}}")
    }

    @Test func `keep a double to the last bit, and what is not finite`() throws {
        for number in [0.1, 1e-300, 123_456_789.123_456_79, 5e-324, .greatestFiniteMagnitude] {
            #expect(try JSON.decode(Double.self, from: try JSON.encode(number)) == number)
        }
        let odd = try JSON.decode([Double].self, from: try JSON.encode([Double.nan, .infinity, -.infinity]))
        #expect(odd[0].isNaN && odd[1] == .infinity && odd[2] == -.infinity)
    }

    @Test(arguments: ["", "{", "[1,", "nul", "{\"a\" 1}", "\"open", "01"])
    func `refuse text that is not JSON`(text: String) {
        #expect(throws: (any Error).self) { try JSON.decode(JSONValue.self, from: text) }
    }

    @Test func `give members by name and nothing for other kinds`() throws {
        let value = try JSON.decode(JSONValue.self, from: "{\"a\":[1,\"b\"],\"n\":7}")
        #expect(value["a"]?.list?.last?.text == "b")
        #expect(value["n"]?.integer == 7)
        #expect(value["absent"] == nil && value["a"]?["b"] == nil && value.text == nil)
    }
}
