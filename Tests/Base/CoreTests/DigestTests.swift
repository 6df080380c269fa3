import Core
import Testing

@Suite struct `Digests and portable numbers` {
    // FIPS 180-4's examples.
    @Test func `are SHA-256`() {
        #expect(Digest(of: "").hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(Digest(of: "abc").hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Digest(of: "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    }

    @Test func `do not depend on how the bytes were cut`() {
        let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 * 31) }
        for size in [1, 63, 64, 65, 4999] {
            var builder = DigestBuilder()
            for start in stride(from: 0, to: bytes.count, by: size) {
                builder.update(Array(bytes[start..<min(bytes.count, start + size)]))
            }
            #expect(builder.finish() == Digest(of: bytes))
        }
    }

    @Test(arguments: [
        "", "abc", String(repeating: "A", count: 64), String(repeating: "g", count: 64),
        String(repeating: "0", count: 63),
        String(repeating: "0", count: 65), String(repeating: "é", count: 32),
    ])
    func `refuse what is not 64 lowercase hexadecimal digits`(text: String) {
        #expect(Digest(hex: text) == nil)
        #expect(throws: (any Error).self) { try JSON.decode(Digest.self, from: "\"\(text)\"") }
    }

    @Test func `keep their text in JSON`() throws {
        let digest = Digest(of: "abc")
        #expect(Digest(hex: digest.hex) == digest)
        #expect(try JSON.decode(Digest.self, from: try JSON.encode(digest)) == digest)
        #expect(digest.short == "ba7816bf8f01")
    }

    // int.from_bytes(hashlib.sha256(f"{seed}:{key}".encode()).digest()[:8], "big") / 2**64 in Python.
    @Test(arguments: [
        (42, "1", 0.01510574321081544), (42, "8222157", 0.32645064195478496), (0, "", 0.7283713340583249),
        (-1, "é", 0.11664473561950696), (7, "a:b", 0.3267988416352505),
    ])
    func `portable uniform numbers are those of Python's hashlib`(seed: Int, key: String, value: Double) {
        #expect(portableUniform(seed: seed, key: key) == value)
    }

    @Test func `portable uniform numbers are spread evenly`() {
        let values = (0..<20_000).map { portableUniform(seed: 3, key: "\($0)") }
        #expect(values.allSatisfy { (0.0..<1.0).contains($0) })
        for tenth in 0..<10 {
            let share = Double(values.count { Int($0 * 10) == tenth }) / 20_000
            #expect(abs(share - 0.1) < 0.01)
        }
    }
}
