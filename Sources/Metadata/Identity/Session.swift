package import Core

/// A logged-in person's session, stored in the database so that it can be ended early.
///
/// The browser carries a signed token that names it, see ``SessionCookies``.
package struct Session: Sendable, Equatable {
    /// 32 hexadecimal digits.
    package let id: String
    package let user: User
    package let created: Timestamp
    package let expires: Timestamp
    /// Anti-forgery token that the pages of this session send with each change; 43 characters of base64url.
    package let csrf: String
}
