package import Core

/// A person who may log in. Users are never deleted: the audit log names them.
package struct User: Sendable, Equatable, Encodable {
    /// 32 hexadecimal digits.
    package let id: String
    /// Unique login name of at most 64 characters: a-z, 0-9 and . _ - @ +, a letter or digit first.
    package let name: String
    /// What the person may do.
    package var role: Role
    /// When the user was added.
    package let created: Timestamp
    /// Actor who added the user, as in the audit log: "local:ada", or "setup" for one added with a setup link.
    package let createdBy: String
    /// Since when the person may not log in; `nil` for an enabled user.
    package var disabled: Timestamp?

    enum CodingKeys: String, CodingKey {
        case id, name, role, created
        case createdBy = "created_by"
        case disabled
    }
}

/// Rules for names of users and tokens.
enum IdentityName {
    /// Lower-case letters, digits and `.`, `_`, `-`, `@`, `+`; from 1 to 64, a letter or digit first.
    static func check(_ name: String, of what: String) throws {
        func isPlain(_ byte: UInt8) -> Bool { (97...122).contains(byte) || (48...57).contains(byte) }
        guard (1...64).contains(name.utf8.count), name.utf8.first.map(isPlain) ?? false,
            name.utf8.allSatisfy({ isPlain($0) || Array("._-@+".utf8).contains($0) })
        else {
            throw MartletError(
                .input, "identity.name",
                "'\(name.prefix(80))' cannot be \(what)'s name.",
                remedy: "Use up to 64 of a-z, 0-9 and . _ - @ +, a letter or digit first.")
        }
    }
}
