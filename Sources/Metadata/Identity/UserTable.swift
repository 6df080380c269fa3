internal import Core
internal import SQLText

/// The table `users`.
struct UserTable {
    let connection: any SQLConnection

    func all() throws -> [User] {
        try connection.rows("SELECT * FROM users ORDER BY name").map(User.init(row:))
    }

    func find(_ name: String) throws -> User? {
        try connection.row("SELECT * FROM users WHERE name = \(name)").map(User.init(row:))
    }

    /// The user with the password that is stored.
    func credentials(_ name: String) throws -> (user: User, password: Password)? {
        guard let row = try connection.row("SELECT * FROM users WHERE name = \(name)") else { return nil }
        return (try User(row: row), Password(stored: try row.text("password")))
    }

    func isEmpty() throws -> Bool { try connection.rows("SELECT 1 FROM users LIMIT 1").isEmpty }

    /// Those who may do everything, and may log in.
    func activeAdmins() throws -> Int {
        try connection.row(
            "SELECT COUNT(*) AS n FROM users WHERE role = \(Role.admin.rawValue) AND disabled IS NULL"
        )?.int("n") ?? 0
    }

    func insert(_ user: User, _ password: Password) throws {
        try connection.execute(
            """
            INSERT INTO users (id, name, role, password, created, created_by, disabled)
            VALUES (\(user.id), \(user.name), \(user.role.rawValue), \(password.phc), \(user.created),
                \(user.createdBy), \(user.disabled))
            """)
    }

    func update(_ user: User) throws {
        try connection.execute(
            "UPDATE users SET role = \(user.role.rawValue), disabled = \(user.disabled) WHERE id = \(user.id)")
    }

    func set(_ password: Password, of user: User) throws {
        try connection.execute("UPDATE users SET password = \(password.phc) WHERE id = \(user.id)")
    }
}

extension User {
    fileprivate init(row: SQLRow) throws {
        self.init(
            id: try row.text("id"), name: try row.text("name"), role: try row.oneOf("role"),
            created: try row.timestamp("created"), createdBy: try row.text("created_by"),
            disabled: try row.optionalTimestamp("disabled"))
    }
}
