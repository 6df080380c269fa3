/// A rule that the database enforces on a table by a trigger: refuse, skip, or follow a change with a statement.
///
/// It holds for every program that writes to the table. One list is rendered to the triggers of each engine.
///
/// ```swift
/// TableRule.refuse(.update, of: "events", "an event never changes")
/// TableRule.refuse(.delete, of: "runs", when: "OLD.status <> 'running'", "a recorded run is never deleted")
/// ```
///
/// A condition is portable SQL over `NEW` and `OLD`; a rule on INSERT also stops SQLite's INSERT OR REPLACE, which deletes
/// without asking the rules on DELETE. A table whose rows are not deleted is not truncated either (PostgreSQL).
package struct TableRule: Sendable, Equatable {
    /// The kind of change that a rule reacts to.
    package enum Change: String, Sendable {
        case insert
        case update
        case delete
    }

    private enum Action: Sendable, Equatable {
        /// The statement fails with this message.
        case refuse(String)
        /// The row is passed over without an error.
        case passOver
        /// This statement is run once the row is written.
        case follow(String)
    }

    /// Name of the trigger, unique in the database.
    package let name: String
    private let table: String
    private let change: Change
    private let condition: String?
    private let action: Action

    /// A rule that makes a change fail with a message.
    /// - Parameters:
    ///   - condition: always when `nil`.
    ///   - name: `<table>_<change>` when `nil`.
    package static func refuse(
        _ change: Change, of table: String, when condition: String? = nil, _ message: String, name: String? = nil
    ) -> TableRule {
        TableRule(name, table, change, condition, .refuse(message))
    }

    /// A rule that silently skips rows which an INSERT would add.
    package static func passOver(insertOf table: String, when condition: String) -> TableRule {
        TableRule(nil, table, .insert, condition, .passOver)
    }

    /// A rule that runs a statement after each change of a row.
    package static func follow(_ change: Change, of table: String, by statement: String, name: String) -> TableRule {
        TableRule(name, table, change, nil, .follow(statement))
    }

    private init(_ name: String?, _ table: String, _ change: Change, _ condition: String?, _ action: Action) {
        self.name = name ?? "\(table)_\(change.rawValue)"
        self.table = table
        self.change = change
        self.condition = condition
        self.action = action
    }

    /// Returns the SQL statements that create the trigger.
    package func sql(for dialect: SQLDialect) -> String {
        switch dialect {
        case .sqlite: sqlite
        case .postgresql: postgresql
        }
    }

    private var timing: String {
        if case .follow = action { return "AFTER" }
        return "BEFORE"
    }

    private var sqlite: String {
        let body =
            switch action {
            case .refuse(let message): "SELECT RAISE(ABORT, \(Self.quoted(message)))"
            case .passOver: "SELECT RAISE(IGNORE)"
            case .follow(let statement): statement
            }
        return """
            CREATE TRIGGER \(name) \(timing) \(change.rawValue.uppercased()) ON \(table)
            \(condition.map { "WHEN \($0)\n" } ?? "")BEGIN
                \(body);
            END;

            """
    }

    private var postgresql: String {
        let row = change == .delete ? "OLD" : "NEW"
        let body =
            switch action {
            case .refuse(let message):
                "RAISE EXCEPTION USING MESSAGE = \(Self.quoted(message)), ERRCODE = 'check_violation'"
            case .passOver: "RETURN NULL"
            case .follow(let statement): statement
            }
        var text = """
            CREATE FUNCTION \(name)() RETURNS trigger LANGUAGE plpgsql AS $rule$
            BEGIN
                IF \(condition ?? "TRUE") THEN
                    \(body);
                END IF;
                RETURN \(row);
            END
            $rule$;
            CREATE TRIGGER \(name) \(timing) \(change.rawValue.uppercased()) ON \(table)
            FOR EACH ROW EXECUTE FUNCTION \(name)();

            """
        if case .refuse = action, change == .delete, condition == nil {
            // Without a row there is neither NEW nor OLD: both are null, which the function may return.
            text += """
                CREATE TRIGGER \(name)_all BEFORE TRUNCATE ON \(table)
                FOR EACH STATEMENT EXECUTE FUNCTION \(name)();

                """
        }
        return text
    }

    private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
}
