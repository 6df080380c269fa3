internal import Core
internal import SQLText

extension IdentityStore {
    /// Verifies a name and password; returns the person, or `nil` if they are wrong or the person is disabled.
    ///
    /// Takes as long for an unknown name, so that the time reveals nothing.
    package func authenticate(_ name: String, _ password: String) throws -> User? {
        let found = try database.read { try UserTable(connection: $0).credentials(name) }
        let isRight = (found?.password ?? IdentityStore.nobody).matches(password)
        guard isRight, let user = found?.user, user.disabled == nil else { return nil }
        return user
    }

    /// No password fits: its hash is not one of scrypt's.
    private static let nobody = Password(
        stored: "$scrypt$ln=15,r=8,p=3$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")

    /// Creates a session for a person.
    /// - Parameter seconds: time until it expires.
    package func openSession(for user: User, seconds: Int) throws -> Session {
        let now = context.now()
        let session = Session(
            id: context.newID(), user: user, created: now,
            expires: Timestamp(microseconds: now.microseconds + Int64(seconds) * 1_000_000),
            csrf: Secret("", random: context.randomBytes).text)
        try database.write(scope: .identity) { connection in
            try SessionTable(connection: connection).forget(before: now)
            try SessionTable(connection: connection).insert(session)
            let draft = AuditDraft(
                "session.opened", "users/\(user.name)", after: .object(["session": .text(session.id)]))
            try AuditTable(connection).append(draft, by: author, at: now)
        }
        return session
    }

    /// Ends a session; no effect on one that has ended.
    package func endSession(_ id: String, of name: String) throws {
        try change { act in
            guard try act.sessions.end(id, at: act.now) > 0 else { return }
            try act.note(AuditDraft("session.ended", "users/\(name)", before: .object(["session": .text(id)])))
        }
    }
}
