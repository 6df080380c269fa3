package import Core
internal import Crypto
internal import FoundationEssentials

/// A 256-bit random secret given to a person or program: API token or setup link. Only its digest is stored.
///
/// ```swift
/// let (token, secret) = try store.createToken("scoring", role: .operator, project: nil, expires: nil)
/// print(secret.text)  // shown once
/// ```
package struct Secret: Sendable, Equatable {
    /// The secret as text: for a token "martlet_" and 43 characters of base64url (RFC 4648, section 5).
    ///
    /// Scanners for leaked secrets can look for this form.
    package let text: String

    /// - Parameter random: gives as many bytes as it is asked for, from the system's secure generator.
    init(_ prefix: String, random: (Int) -> [UInt8]) { text = prefix + Secret.base64url(random(32)) }

    /// SHA-256 of the text, stored and looked up. It needs no salt: 256 random bits cannot be guessed.
    package var digest: Core.Digest { Core.Digest(of: text) }

    /// The first 12 characters, to tell tokens apart.
    package var shown: String { String(text.prefix(12)) }

    static func base64url(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Compares two texts in a time that depends only on their lengths.
    package static func areEqual(_ a: String, _ b: String) -> Bool {
        SymmetricKey(data: Array(a.utf8)) == SymmetricKey(data: Array(b.utf8))
    }
}
