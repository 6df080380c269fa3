import Core
import Testing

@Suite struct `JSON values` {
    @Test(arguments: [
        "null", "true", "0", "-9223372036854775808", "9223372036854775807", "1.5", "\"\"", "\"a \\\" b\"", "[]", "{}",
        "[1,[2,[3,{\"a\":null}]]]", "{\"a\":1,\"b\":{\"c\":\"d/e\"}}", "\"snow ☃ 🐦\"",
    ])
    func `come back as they were written`(text: String) throws {
        let value = try JSON.decode(JSONValue.self, from: text)
        #expect(try JSON.text(value) == text)
        #expect(try JSON.decode(JSONValue.self, from: try JSON.text(value, pretty: true)) == value)
        #expect(JSONValue(parsing: text) == value)
        #expect(JSONValue(parsing: try JSON.text(value, pretty: true)) == value)
    }

    @Test(arguments: [
        (" [ 1 , -0.5e+2 ] ", JSONValue.list([.integer(1), .number(-50)])),
        ("99999999999999999999", .number(1e20)),
        (#""\u00e9\ud83d\udc26\n\/""#, .text("é🐦\n/")),
        (#"{"a":1,"a":2}"#, .object(["a": .integer(2)])),
    ]) func `are read in every spelling`(text: String, value: JSONValue) {
        #expect(JSONValue(parsing: text) == value)
    }

    @Test(arguments: [
        "", " ", "{", "[1,", "[1,]", "nul", "{\"a\" 1}", "{a:1}", "\"open", "01", "-", "1.", ".5", "1e", "+1", "[1] 2",
        "\"\\ud83d\"", "\"\\ud83d\\u0041\"", "\"\\x\"", "\"\u{1}\"", "NaN", "'a'",
        String(repeating: "[", count: 100_000),
    ]) func `that are none are refused by the quick reader too`(text: String) {
        #expect(JSONValue(parsing: text) == nil)
    }

    @Test func `bytes that are no text are refused`() {
        #expect(JSONValue(parsing: [34, 0xC3, 34]) == nil)
        #expect(JSONValue(parsing: [34, 92, 110, 0xFF, 34]) == nil)
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
