internal import Core
internal import SQLText

extension IdentityStore {
    /// Returns all users, by name.
    package func users() throws -> [User] { try database.read { try UserTable(connection: $0).all() } }

    /// Creates a user.
    /// - Throws: `identity.name`, `identity.password`, `identity.name-taken`.
    @discardableResult
    package func addUser(_ name: String, role: Role, password: String) throws -> User {
        let (user, hash) = try newUser(name, role, password)
        return try change { act in
            try insert(user, hash, act)
        }
    }

    /// A user and a password that could be stored; takes its time.
    func newUser(_ name: String, _ role: Role, _ password: String) throws -> (User, Password) {
        try IdentityName.check(name, of: "a person")
        let hash = try Password(password, of: name, random: context.randomBytes)
        let user = User(
            id: context.newID(), name: name, role: role, created: context.now(), createdBy: author.actor)
        return (user, hash)
    }

    func insert(_ user: User, _ hash: Password, _ act: Change) throws -> User {
        guard try act.users.find(user.name) == nil else {
            throw MartletError(.conflict, "identity.name-taken", "There is a user \(user.name) already.")
        }
        try act.users.insert(user, hash)
        try act.note(
            AuditDraft("user.added", "users/\(user.name)", after: .object(["role": .text(user.role.rawValue)])))
        return user
    }

    /// Changes a user's role; throws `identity.last-admin` for the last admin.
    @discardableResult
    package func setRole(of name: String, to role: Role) throws -> User {
        try move(name) { user, act in
            guard user.role != role else { return user }
            var changed = user
            changed.role = role
            try act.users.update(changed)
            try act.note(
                AuditDraft(
                    "user.role-changed", "users/\(name)", before: .object(["role": .text(user.role.rawValue)]),
                    after: .object(["role": .text(role.rawValue)])))
            return changed
        }
    }

    /// Disables a user and ends the person's sessions, or enables them again; the last admin cannot be disabled.
    @discardableResult
    package func setDisabled(_ name: String, _ disabled: Bool) throws -> User {
        try move(name) { user, act in
            guard (user.disabled != nil) != disabled else { return user }
            var changed = user
            changed.disabled = disabled ? act.now : nil
            try act.users.update(changed)
            if disabled { try act.sessions.endAll(of: user, at: act.now) }
            try act.note(AuditDraft(disabled ? "user.disabled" : "user.enabled", "users/\(name)"))
            return changed
        }
    }

    /// Changes a user's password and ends the person's sessions.
    package func setPassword(of name: String, to password: String) throws {
        let hash = try Password(password, of: name, random: context.randomBytes)
        _ = try move(name) { user, act in
            try act.users.set(hash, of: user)
            try act.sessions.endAll(of: user, at: act.now)
            try act.note(AuditDraft("user.password-changed", "users/\(name)"))
            return user
        }
    }

    private func move(
        _ name: String, _ body: (User, Change) throws -> User
    ) throws -> User {
        try change { act in
            let table = act.users
            guard let user = try table.find(name) else {
                let hint = Spelling.nearest(to: name, among: try table.all().map(\.name))
                throw MartletError(
                    .missing, "identity.unknown-user", "There is no user '\(name.prefix(80))'.",
                    remedy: hint.map { "Did you mean \($0)?" } ?? "List them with `martlet users list`.")
            }
            let admins = try table.activeAdmins()
            let changed = try body(user, act)
            guard try admins == 0 || table.activeAdmins() > 0 else {
                throw MartletError(
                    .refused, "identity.last-admin", "\(name) is the last one who may do everything.",
                    remedy: "Make somebody else admin first.")
            }
            return changed
        }
    }
}
