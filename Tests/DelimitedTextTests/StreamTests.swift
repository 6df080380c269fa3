import DelimitedText
import TestSupport
import Testing
import Vocabulary

@Suite("Delimited text: bytes and encodings")
struct StreamTests {
    private func bytes(_ path: String, buffer: Int = 100_000) throws -> [UInt8] {
        let stream = try ByteStream(path)
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: buffer)
        while true {
            let count = try piece.withUnsafeMutableBytes { try stream.read(into: $0) }
            all += piece[..<count]
            if count < buffer { return all }
        }
    }

    @Test("A gzip file is unpacked, and one that is cut off is refused")
    func gzip() throws {
        // "a,b\n1,2\n" by RFC 1952 with a stored block, twice: two members.
        let text = Array("a,b\n1,2\n".utf8)
        let member: [UInt8] =
            [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 8, 0, 0xF7, 0xFF] + text + [0x25, 0x1A, 0xC9, 0xDE, 8, 0, 0, 0]
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.csv.gz"
            try Disk.append(path, Array(member.dropLast(12)))
            #expect(throws: MartletError.self) { try bytes(path) }
        }
    }

    @Test("Encodings of the platform")
    func encodings() throws {
        func decoded(_ name: String, _ bytes: [UInt8]) throws -> String {
            let encoding = try #require(TextEncoding(name))
            let converter = try #require(TextEncoding.Converter(encoding))
            var text: [UInt8] = []
            try converter.convert(bytes, into: &text)
            return String(decoding: text, as: UTF8.self)
        }
        #expect(try decoded("windows-1252", [0x80, 0x20, 0xE9]) == "€ é")
        #expect(try decoded("latin-1", [0x93, 0x94]) == "“”")
        #expect(try decoded("koi8-r", [0xF0, 0xD2, 0xC9]) == "При")
        #expect(try decoded("shift_jis", [0x93, 0xFA, 0x96, 0x7B]) == "日本")
        #expect(try decoded("utf-16", [0x41, 0, 0xAC, 0x20]) == "A€")
        #expect(TextEncoding("no-such-thing") == nil)
        #expect(TextEncoding("ascii//translit") == nil)
        let converter = try #require(TextEncoding.Converter(try #require(TextEncoding("windows-1252"))))
        var text: [UInt8] = []
        let failure = #expect(throws: TextEncoding.Converter.Invalid.self) {
            try converter.convert([0x41, 0x81], into: &text)
        }
        #expect(failure?.offset == 1)
    }
}
