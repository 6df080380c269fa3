package import Core
internal import JWTKit

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Issues and verifies the signed session tokens that browsers carry (JWT, RFC 7519; HMAC with SHA-256).
///
/// ```swift
/// let cookies = await SessionCookies(key)
/// let token = try await cookies.token(for: session)
/// let claim = await cookies.claim(in: token, at: now)
/// ```
///
/// A token says which session, and nothing that is believed without looking: role and name are those that the database
/// has at the time.
package struct SessionCookies: Sendable {
    /// The verified content of a session token.
    package struct Claim: Sendable, Equatable {
        /// Id of the session; whether it has ended or its user is disabled is not checked here.
        package let session: String
        /// Anti-forgery token of the session, which the `X-CSRF-Token` header of each change must equal.
        package let csrf: String
    }

    private struct Payload: JWTPayload {
        var jti: IDClaim
        var sub: SubjectClaim
        var iss: IssuerClaim
        var iat: Int64
        var exp: Int64
        var csrf: String

        /// The time is looked at by `claim`, which is told it.
        func verify(using algorithm: some JWTAlgorithm) throws {
            guard iss.value == SessionCookies.issuer else {
                throw JWTError.claimVerificationFailure(failedClaim: iss, reason: "another issuer")
            }
        }
    }

    private static let issuer = "martlet"
    private let keys: JWTKeyCollection

    package init(_ key: SigningKey) async {
        keys = await JWTKeyCollection().add(hmac: HMACKey(from: Data(key.bytes)), digestAlgorithm: .sha256)
    }

    /// Issues the token of a session.
    package func token(for session: Session) async throws -> String {
        try await keys.sign(
            Payload(
                jti: IDClaim(value: session.id), sub: SubjectClaim(value: session.user.name),
                iss: IssuerClaim(value: SessionCookies.issuer), iat: session.created.microseconds / 1_000_000,
                exp: session.expires.microseconds / 1_000_000, csrf: session.csrf))
    }

    /// Verifies a token's signature and expiry; `nil` when either fails.
    ///
    /// Whether the session has ended is for `PrincipalCache` to say.
    package func claim(in token: String, at now: Timestamp) async -> Claim? {
        guard token.utf8.count <= 1024, let payload = try? await keys.verify(token, as: Payload.self),
            payload.exp > now.microseconds / 1_000_000
        else { return nil }
        return Claim(session: payload.jti.value, csrf: payload.csrf)
    }
}
