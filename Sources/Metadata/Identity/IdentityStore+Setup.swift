internal import Core
internal import SQLText

extension IdentityStore {
    /// Creates the secret of a setup link for the first admin; `nil` if there is any user. Invalidates earlier ones.
    package func setupSecret(seconds: Int) throws -> Secret? {
        let secret = Secret("", random: context.randomBytes)
        return try change { act -> Secret? in
            guard try act.users.isEmpty() else { return nil }
            let table = act.setup
            try table.useUp(at: act.now)
            try table.insert(
                secret.digest, created: act.now,
                expires: Timestamp(microseconds: act.now.microseconds + Int64(seconds) * 1_000_000))
            try act.note(AuditDraft("setup.offered", "setup"))
            return secret
        }
    }

    /// Whether a text is the secret of a valid setup link.
    package func isSetupSecret(_ text: String) throws -> Bool {
        let now = context.now()
        return try database.read { try SetupTable(connection: $0).isValid(Digest(of: text), at: now) }
    }

    /// Creates the first admin from a setup link, which works once and only while there is no user.
    /// - Throws: `identity.setup` for a link that does not work, `identity.name`, `identity.password`.
    package func setUp(_ secret: String, name: String, password: String) throws -> User {
        // Before the hard work of hashing: a wrong link is not worth it.
        guard try isSetupSecret(secret) else { throw IdentityStore.deadLink }
        let (user, hash) = try newUser(name, .admin, password)
        return try change { act in
            let table = act.setup
            guard try table.isValid(Digest(of: secret), at: act.now), try act.users.isEmpty() else {
                throw IdentityStore.deadLink
            }
            try table.useUp(at: act.now)
            return try insert(user, hash, act)
        }
    }

    private static var deadLink: MartletError {
        MartletError(
            .refused, "identity.setup", "This setup link was used, is too old, or never was one.",
            remedy: "Start the server anew for another, or use `martlet users add NAME --role admin`.")
    }
}
