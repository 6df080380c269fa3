package import Core
internal import Crypto
internal import FoundationEssentials

/// 256 random bits that somebody carries: an API token, a setup link. Only its digest is ever stored.
package struct Secret: Sendable, Equatable {
    /// "martlet_" and 43 letters of base64url (RFC 4648, section 5) for a token: a form that scanners for leaked
    /// secrets can look for.
    package let text: String

    /// - Parameter random: gives as many bytes as it is asked for, from the system's secure generator.
    init(_ prefix: String, random: (Int) -> [UInt8]) { text = prefix + Secret.base64url(random(32)) }

    /// What is stored, and looked up. SHA-256 needs no salt here: nobody guesses 256 random bits.
    package var digest: Core.Digest { Core.Digest(of: text) }

    /// What people tell tokens apart by; says nothing about the rest.
    package var shown: String { String(text.prefix(12)) }

    static func base64url(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Whether two texts are equal, in a time that depends on their lengths only.
    package static func areEqual(_ a: String, _ b: String) -> Bool {
        SymmetricKey(data: Array(a.utf8)) == SymmetricKey(data: Array(b.utf8))
    }
}
