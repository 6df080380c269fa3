package import Core

/// A key for a program: what is known of it without the secret itself, which nobody can read again.
package struct APIToken: Sendable, Equatable, Encodable {
    /// 32 hexadecimal digits.
    package let id: String
    package let name: String
    /// The beginning of the secret.
    package let prefix: String
    /// The only project it is for; `nil` for all of its server.
    package let project: String?
    package let role: Role
    package let created: Timestamp
    package let createdBy: String
    /// `nil`: never.
    package let expires: Timestamp?
    /// To the minute or so.
    package var lastUsed: Timestamp?
    package var revoked: Timestamp?
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
