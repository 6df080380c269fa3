package import Core

/// A logged-in person's session, stored in the database so that it can be ended early.
///
/// The browser carries a signed token that names it, see ``SessionCookies``.
package struct Session: Sendable, Equatable {
    /// 32 hexadecimal digits.
    package let id: String
    /// The person who logged in, with the role of that moment; later checks read the role from the database.
    package let user: User
    /// When the person logged in.
    package let created: Timestamp
    /// When it ends by itself; set at the login and not extended by use.
    package let expires: Timestamp
    /// Anti-forgery token that the pages of this session send with each change; 43 characters of base64url.
    package let csrf: String
}
