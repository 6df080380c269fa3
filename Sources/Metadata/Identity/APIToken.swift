package import Core

/// Metadata of an API token for a program; the secret itself is not stored.
package struct APIToken: Sendable, Equatable, Encodable {
    /// 32 hexadecimal digits.
    package let id: String
    /// Name given by the creator, at most 64 characters; never used again for another token, even after revocation.
    package let name: String
    /// First characters of the secret, to recognise the token.
    package let prefix: String
    /// The only project that it gives access to; `nil` for all of its server.
    package let project: String?
    /// What the token may do.
    package let role: Role
    /// When it was created.
    package let created: Timestamp
    /// Actor who created it, as in the audit log: "local:ada".
    package let createdBy: String
    /// When it expires; `nil`: never.
    package let expires: Timestamp?
    /// Time of the last use, precise to about a minute.
    package var lastUsed: Timestamp?
    /// When it was revoked, for good; `nil` for a token that was not.
    package var revoked: Timestamp?
    /// Actor who revoked it, as in the audit log; `nil` for a token that was not revoked.
    package var revokedBy: String?

    enum CodingKeys: String, CodingKey {
        case id, name, prefix, project, role, created
        case createdBy = "created_by"
        case expires
        case lastUsed = "last_used"
        case revoked
        case revokedBy = "revoked_by"
    }
}
