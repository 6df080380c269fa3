package import Core
internal import SQLText

extension IdentityStore {
    /// Largest number of usable tokens; all are held in a server's memory.
    static let mostTokens = 10_000

    /// Returns all tokens, revoked and expired ones too, newest first.
    package func tokens() throws -> [APIToken] { try database.read { try TokenTable(connection: $0).all() } }

    /// Creates a token and returns its secret, which cannot be retrieved again.
    /// - Parameter project: the only project that it is for; `nil` for all of the server.
    /// - Throws: `identity.name`, `identity.name-taken`, `identity.expiry` for a time that has passed.
    package func createToken(
        _ name: String, role: Role, project: String?, expires: Timestamp?
    ) throws -> (token: APIToken, secret: Secret) {
        try IdentityName.check(name, of: "a token")
        let secret = Secret("martlet_", random: context.randomBytes)
        let id = context.newID()
        return try change { act in
            if let expires, expires <= act.now {
                throw MartletError(.input, "identity.expiry", "\(expires) has passed; a token must live longer.")
            }
            let table = act.tokens
            // Names are taken for ever: the audit names tokens.
            guard try table.find(name).allSatisfy({ $0.name != name }) else {
                throw MartletError(
                    .conflict, "identity.name-taken", "There is, or was, a token named \(name).",
                    remedy: "Take another name, like \(name)-2: history names tokens.")
            }
            guard try table.countValid(at: act.now) < IdentityStore.mostTokens else {
                throw MartletError(
                    .conflict, "identity.too-many-tokens",
                    "There are \(IdentityStore.mostTokens) tokens in use already.",
                    remedy: "Revoke those that nobody needs.")
            }
            let token = APIToken(
                id: id, name: name, prefix: secret.shown, project: project, role: role, created: act.now,
                createdBy: author.actor, expires: expires)
            try table.insert(token, secret.digest)
            try act.note(
                AuditDraft(
                    "token.created", "tokens/\(name)", project: project,
                    after: .object([
                        "role": .text(role.rawValue), "prefix": .text(token.prefix),
                        "expires": expires.map { .text($0.description) } ?? .null,
                    ])))
            return (token, secret)
        }
    }

    /// Revokes a token for good, by its name, its id or its shown prefix.
    @discardableResult
    package func revokeToken(_ text: String) throws -> APIToken {
        try change { act in
            let table = act.tokens
            let found = try table.find(text)
            guard var token = found.first else {
                let hint = Spelling.nearest(to: text, among: try table.all().map(\.name))
                throw MartletError(
                    .missing, "identity.unknown-token", "There is no token '\(text.prefix(12))'.",
                    remedy: hint.map { "Did you mean \($0)?" } ?? "List them with `martlet tokens list`.")
            }
            guard found.count == 1 else {
                throw MartletError(
                    .usage, "identity.ambiguous-token",
                    "More than one token fits: \(found.map(\.name).joined(separator: ", ")).",
                    remedy: "Say the name.")
            }
            guard token.revoked == nil else {
                throw MartletError(
                    .conflict, "identity.revoked",
                    "\(token.name) was revoked by \(token.revokedBy ?? "somebody") already.")
            }
            try table.revoke(token, by: author.actor, at: act.now)
            try act.note(AuditDraft("token.revoked", "tokens/\(token.name)", project: token.project))
            token.revoked = act.now
            token.revokedBy = author.actor
            return token
        }
    }

    /// Records when tokens were last used; not an audited change.
    package func noteUses(_ uses: [(token: String, at: Timestamp)]) throws {
        guard !uses.isEmpty else { return }
        try database.write(scope: .identity) { connection in
            for use in uses { try TokenTable(connection: connection).noteUse(of: use.token, at: use.at) }
        }
    }
}
