internal import Core
internal import Crypto
internal import CryptoExtras
internal import Foundation

/// A password hash in PHC string format, made with scrypt (RFC 7914), its own salt and costs.
///
/// `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`
///
/// ```swift
/// let stored = try Password(text, of: "ada", random: context.randomBytes)
/// let isRight = Password(stored: stored.phc).matches(text)
/// ```
///
/// One of OWASP's equivalent costs for scrypt (Password Storage Cheat Sheet): 32 MiB and about a quarter of a second of
/// one processor. Both calls block.
package struct Password: Sendable, Equatable {
    /// The hash in PHC string format.
    package let phc: String

    private struct Cost: Equatable {
        /// Binary logarithm of scrypt's N.
        var rounds = 15
        var blockSize = 8
        var parallelism = 3
    }

    /// Allowed number of characters.
    package static let lengths = 12...256

    /// Wraps a stored hash.
    package init(stored phc: String) { self.phc = phc }

    /// Hashes a new password with a random salt.
    /// - Throws: `identity.password` for one that is too short, too long, or equal to `name`.
    package init(_ password: String, of name: String, random: (Int) -> [UInt8]) throws {
        guard Password.lengths.contains(password.count), password.utf8.count <= 4 * Password.lengths.upperBound else {
            throw MartletError(
                .input, "identity.password",
                "A password has \(Password.lengths.lowerBound) to \(Password.lengths.upperBound) characters.",
                remedy: "A sentence is easier to keep in mind than odd characters.")
        }
        guard Set(password).count > 3, !CommonPassword.isGuessable(password, of: name) else {
            throw MartletError(.input, "identity.password", "This password is the first that anybody would try.")
        }
        let salt = random(16)
        let cost = Cost()
        let hash = try Password.derive(password, salt, cost, 32)
        phc =
            "$scrypt$ln=\(cost.rounds),r=\(cost.blockSize),p=\(cost.parallelism)"
            + "$\(Password.base64(salt))$\(Password.base64(hash))"
    }

    /// Whether a password matches the hash; compared in constant time.
    package func matches(_ password: String) -> Bool {
        guard password.utf8.count <= 4 * Password.lengths.upperBound, let (cost, salt, hash) = parts,
            let found = try? Password.derive(password, salt, cost, hash.count)
        else { return false }
        return SymmetricKey(data: found) == SymmetricKey(data: hash)
    }

    private var parts: (Cost, [UInt8], [UInt8])? {
        let fields = phc.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count == 5, fields[1] == "scrypt", let salt = Password.bytes(fields[3]),
            let hash = Password.bytes(fields[4]), hash.count >= 16
        else { return nil }
        var costs: [Substring: Int] = [:]
        for pair in fields[2].split(separator: ",") {
            let sides = pair.split(separator: "=")
            if sides.count == 2 { costs[sides[0]] = Int(sides[1]) }
        }
        guard let rounds = costs["ln"], let size = costs["r"], let lanes = costs["p"], (1...22).contains(rounds),
            (1...32).contains(size), (1...16).contains(lanes)
        else { return nil }
        return (Cost(rounds: rounds, blockSize: size, parallelism: lanes), salt, hash)
    }

    /// Composed first (NFKC, as NIST SP 800-63B, section 3.1.1.2 has it), so that one keyboard's é is another's.
    private static func derive(_ password: String, _ salt: [UInt8], _ cost: Cost, _ count: Int) throws -> [UInt8] {
        let key = try KDF.Scrypt.deriveKey(
            from: Array(password.precomposedStringWithCompatibilityMapping.utf8), salt: salt, outputByteCount: count,
            rounds: 1 << cost.rounds, blockSize: cost.blockSize, parallelism: cost.parallelism)
        return key.withUnsafeBytes { Array($0) }
    }

    /// Without padding, as the format asks.
    private static func base64(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("=", with: "")
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return Data(base64Encoded: text + padding).map { Array($0) }
    }
}
