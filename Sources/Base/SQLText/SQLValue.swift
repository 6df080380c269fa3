package import Core

/// A value as a database stores it: null, integer, real, text or blob.
package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// A type whose values can be bound to a placeholder of an interpolated `SQL`.
package protocol SQLBindable {
    /// The value as the database stores it.
    var sqlValue: SQLValue { get }
}

extension SQLValue: SQLBindable {
    package var sqlValue: SQLValue { self }
}

extension Int: SQLBindable {
    package var sqlValue: SQLValue { .integer(Int64(self)) }
}

extension Int64: SQLBindable {
    package var sqlValue: SQLValue { .integer(self) }
}

/// Not-a-number has no portable form in SQL; it is stored as null.
extension Double: SQLBindable {
    package var sqlValue: SQLValue { isNaN ? .null : .real(self) }
}

extension String: SQLBindable {
    package var sqlValue: SQLValue { .text(self) }
}

/// Stored as the integers 0 and 1.
extension Bool: SQLBindable {
    package var sqlValue: SQLValue { .integer(self ? 1 : 0) }
}

extension [UInt8]: SQLBindable {
    package var sqlValue: SQLValue { .blob(self) }
}

/// Stored as microseconds since 1970, UTC.
extension Timestamp: SQLBindable {
    package var sqlValue: SQLValue { .integer(microseconds) }
}

/// Stored as 64 lowercase hexadecimal digits.
extension Digest: SQLBindable {
    package var sqlValue: SQLValue { .text(hex) }
}
