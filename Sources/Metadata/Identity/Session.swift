package import Core

/// A person's stay after logging in. What the browser carries is a signed token that names it; whether it still holds
/// is looked up here, so that it can be ended before its time.
package struct Session: Sendable, Equatable {
    /// 32 hexadecimal digits.
    package let id: String
    package let user: User
    package let created: Timestamp
    package let expires: Timestamp
    /// What the pages of this session must send along with each change; 43 letters of base64url.
    package let csrf: String
}
