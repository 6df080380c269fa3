/// A SQL statement with its values bound separately from its text, written as an interpolated string literal.
///
/// ```swift
/// let sql: SQL = "SELECT id FROM runs WHERE project = \(project) AND status IN (\(list: states))"
/// let rows = try connection.rows(sql)
/// ```
///
/// `\(value)` becomes a placeholder and a bound value, `\(list: values)` as many placeholders as there are values,
/// `\(identifier: name)` a quoted name, and `\(sql)` inserts another `SQL`. A literal must not contain a placeholder of
/// its own (`?`, `$1`).
package struct SQL: Sendable, Hashable, ExpressibleByStringInterpolation {
    private enum Part: Sendable, Hashable {
        case text(String)
        case value(SQLValue)
    }

    private var parts: [Part]

    /// Takes text verbatim: for statements from a file of this repository, never for input.
    package init(unsafe text: String) { parts = [.text(text)] }

    package init(stringLiteral text: String) { parts = [.text(text)] }

    package init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.sql.parts }

    /// The statement with `?` for each bound value, as SQLite expects it.
    package var text: String { text { _ in "?" } }

    /// Returns the statement with an engine's own placeholders; `placeholder` receives the value's number, from 1.
    package func text(placeholder: (Int) -> String) -> String {
        var text = ""
        var count = 0
        for part in parts {
            switch part {
            case .text(let piece):
                text += piece
            case .value:
                count += 1
                text += placeholder(count)
            }
        }
        return text
    }

    /// The bound values in the order of their placeholders.
    package var values: [SQLValue] {
        parts.compactMap { if case .value(let value) = $0 { value } else { nil } }
    }

    /// Concatenates two pieces of SQL with their values.
    package static func + (left: SQL, right: SQL) -> SQL {
        var sum = left
        sum += right
        return sum
    }

    /// Appends a piece of SQL with its values.
    package static func += (left: inout SQL, right: SQL) { left.parts += right.parts }

    /// Collects the pieces of an interpolated SQL literal.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var sql = SQL(unsafe: "")

        package init(literalCapacity: Int, interpolationCount: Int) {
            sql.parts.reserveCapacity(interpolationCount * 2 + 1)
        }

        package mutating func appendLiteral(_ literal: String) { sql.parts.append(.text(literal)) }

        /// Adds a placeholder and binds the value.
        package mutating func appendInterpolation(_ value: some SQLBindable) {
            sql.parts.append(.value(value.sqlValue))
        }

        /// Adds a placeholder and binds the value, or null for `nil`.
        package mutating func appendInterpolation(_ value: (some SQLBindable)?) {
            sql.parts.append(.value(value?.sqlValue ?? .null))
        }

        /// Inserts another piece of SQL with its values.
        package mutating func appendInterpolation(_ piece: SQL) { sql += piece }

        /// Inserts a table or column name, quoted as the SQL standard requires.
        package mutating func appendInterpolation(identifier name: String) {
            sql.parts.append(.text("\"" + name.replacing("\"", with: "\"\"") + "\""))
        }

        /// Inserts placeholders for the values of an `IN (…)`; an empty list binds one null, which no row equals.
        package mutating func appendInterpolation(list values: [some SQLBindable]) {
            guard !values.isEmpty else { return sql.parts.append(.value(.null)) }
            for (index, value) in values.enumerated() {
                if index > 0 { sql.parts.append(.text(", ")) }
                sql.parts.append(.value(value.sqlValue))
            }
        }
    }
}

extension Sequence where Element == SQL {
    /// Joins pieces of SQL to one statement with `separator` between them.
    package func joined(by separator: SQL) -> SQL {
        var whole = SQL(unsafe: "")
        for (index, piece) in enumerated() {
            if index > 0 { whole += separator }
            whole += piece
        }
        return whole
    }
}
