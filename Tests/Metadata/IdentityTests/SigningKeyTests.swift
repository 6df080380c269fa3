import Core
import Foundation
import Identity
import Storage
import TestSupport
import Testing

struct SigningKeyTests {
    private let scratch: Scratch
    private let random = VirtualClock().random
    private var path: String { scratch.path + "/session.key" }

    init() throws { scratch = try Scratch() }

    @Test func `is made once, for its account alone, and found again`() throws {
        let made = try SigningKey(path: path, random: random)
        #expect(made.bytes.count == 32)
        #expect(try SigningKey(path: path, random: random).bytes == made.bytes)
        #expect(Disk.permissions(path) == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["session.key"])
    }

    @Test(arguments: [0o640, 0o604, 0o644, 0o660]) func `is refused when others may read it`(_ mode: Int) throws {
        _ = try SigningKey(path: path, random: random)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        #expect(code { _ = try SigningKey(path: path, random: random) } == "identity.key-readable")
    }

    @Test(arguments: ["", "\n", "short", "AAAA", String(repeating: "!", count: 44)])
    func `is refused when it is none`(_ text: String) throws {
        _ = try SigningKey(path: path, random: random)
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
        #expect(code { _ = try SigningKey(path: path, random: random) } == "identity.key")
    }
}
