import Core
import Foundation
import Identity
import TestSupport
import Testing

struct PasswordTests {
    private let random = VirtualClock().random

    /// RFC 7914, section 12, third vector, in the form that is stored; a text cut at its first unit is not accepted.
    @Test func `matches what another implementation of scrypt made`() throws {
        let salt = Data("SodiumChloride".utf8).base64EncodedString().replacingOccurrences(of: "=", with: "")
        let hex =
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
            + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
        let bytes = stride(from: 0, to: hex.count, by: 2).compactMap { at in
            UInt8(hex.dropFirst(at).prefix(2), radix: 16)
        }
        let hash = Data(bytes).base64EncodedString().replacingOccurrences(of: "=", with: "")
        let password = Password(stored: "$scrypt$ln=14,r=8,p=1$\(salt)$\(hash)")
        #expect(password.matches("pleaseletmein"))
        #expect(!password.matches("pleaseletmeio"))
    }

    @Test func `two of the same are stored differently, with their costs`() throws {
        let (a, b) = (
            try Password(good, of: "ada", random: random), try Password(good, of: "ada", random: random)
        )
        #expect(a.phc != b.phc)
        #expect(a.phc.hasPrefix("$scrypt$ln=15,r=8,p=3$"))
        #expect(!a.phc.contains("horse"))
        #expect(a.matches(good) && b.matches(good))
    }

    @Test func `one letter typed on another keyboard is the same letter`() throws {
        let password = try Password("caf\u{E9} au lait, s'il vous pla\u{EE}t", of: "ada", random: random)
        #expect(password.matches("cafe\u{301} au lait, s'il vous plai\u{302}t"))
        #expect(!password.matches("cafe au lait, s'il vous plait"))
    }

    @Test(arguments: [
        "", "short", "elevenchars", String(repeating: "a", count: 40), String(repeating: "long ", count: 60),
        "ada.lovelace.of.london", "password1234", "123456789012", "Password123!", "P@ssw0rd2024!", "qwertyuiop123",
        "passwordpassword", "1qaz2wsx3edc", "iloveyou1234", "adminadmin2026", "welcome12345", "abcdefghijkl",
        "martletmartlet", "Letmein2026!!", "1q2w3e4r5t6y", "aaaaaaaabbbb1234",
    ])
    func `refuses what anybody would try, or nobody would type`(_ text: String) {
        #expect(
            code { _ = try Password(text, of: "Ada.Lovelace.of.London", random: random) } == "identity.password")
    }

    @Test(arguments: [
        "correct horse battery staple", "tuesday's turnip soup", "j4kL-mmq2-0xPz", "password of the turnip",
        "Über den Wolken 12", "пароль от сарая",
    ])
    func `takes what is somebody's own`(_ text: String) throws { _ = try Password(text, of: "ada", random: random) }

    @Test(arguments: [
        "", "x", "$scrypt$", "$scrypt$ln=15,r=8,p=3$AAAA$", "$scrypt$ln=15,r=8,p=3$$",
        "$scrypt$ln=99,r=8,p=3$AAAA$AAAAAAAAAAAAAAAAAAAAAA", "$argon2$ln=1,r=1,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$scrypt$ln=1,r=1,p=-1$AAAA$AAAAAAAAAAAAAAAAAAAAAA", "$scrypt$ln=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA",
    ])
    func `what is no stored password matches nothing`(_ stored: String) {
        #expect(!Password(stored: stored).matches(""))
        #expect(!Password(stored: stored).matches(good))
    }
}
