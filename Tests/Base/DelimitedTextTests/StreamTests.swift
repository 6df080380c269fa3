import Core
import DelimitedText
import TestSupport
import Testing

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

    @Test("A gzip file is unpacked, member by member, and one that is cut off is refused")
    func gzip() throws {
        // "a,b\n1,2\n" in stored blocks (RFC 1951, 3.2.4), as two members of a gzip file (RFC 1952).
        let text = Array("a,b\n1,2\n".utf8)
        var crc: UInt32 = .max
        for byte in text {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        let sum = withUnsafeBytes(of: (~crc).littleEndian) { Array($0) }
        let member: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 8, 0, 0xF7, 0xFF] + text + sum + [8, 0, 0, 0]
        let folder = try TemporaryFolder()
        let whole = try folder.write("whole.csv", member + member)
        #expect(try bytes(whole) == text + text)
        #expect(try bytes(whole, buffer: 3) == text + text)
        let cut = try folder.write("cut.csv", member.dropLast(12))
        #expect(throws: MartletError.self) { try bytes(cut) }
    }

    @Test("Encodings of the platform")
    func encodings() throws {
        func decoded(_ name: String, _ bytes: [UInt8]) throws -> String {
            let converter = try #require(TextEncoding(name).flatMap { TextEncoding.Converter($0) })
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
        let converter = try #require(TextEncoding("windows-1252").flatMap { TextEncoding.Converter($0) })
        var text: [UInt8] = []
        let failure = #expect(throws: TextEncoding.Converter.Invalid.self) {
            try converter.convert([0x41, 0x81], into: &text)
        }
        #expect(failure?.offset == 1)
    }
}
