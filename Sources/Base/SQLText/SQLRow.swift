package import Core

/// A row of a result with typed getters by column name.
///
/// ```swift
/// let started = try row.timestamp("started")
/// let seed = try row.optionalInt("seed")
/// ```
///
/// A column that is absent, or holds another type or an unexpected null, throws an error that names it.
package struct SQLRow: Sendable, Hashable {
    /// Column names in the order of the statement.
    package let columns: [String]
    /// The values, one for each of `columns`.
    package let values: [SQLValue]

    /// `columns` and `values` have the same length.
    package init(columns: [String], values: [SQLValue]) {
        self.columns = columns
        self.values = values
    }

    /// Returns the stored value; throws when the statement did not select the column.
    package func value(_ column: String) throws -> SQLValue {
        guard let index = columns.firstIndex(of: column), index < values.count else {
            throw MartletError(
                .defect, "metadata.no-such-column",
                "A statement of Martlet's gave no column \(column); it gave \(columns.joined(separator: ", ")).")
        }
        return values[index]
    }

    /// Returns an integer column.
    package func int(_ column: String) throws -> Int { Int(try int64(column)) }

    /// Returns a 64-bit integer column.
    package func int64(_ column: String) throws -> Int64 {
        try required(optionalInt64(column), column, "an integer")
    }

    /// Returns an integer column, `nil` for null.
    package func optionalInt(_ column: String) throws -> Int? { try optionalInt64(column).map { Int($0) } }

    /// Returns a 64-bit integer column, `nil` for null.
    package func optionalInt64(_ column: String) throws -> Int64? {
        switch try value(column) {
        case .null: nil
        case .integer(let number): number
        default: throw unexpected(column, "an integer")
        }
    }

    /// Returns a floating-point column.
    package func real(_ column: String) throws -> Double {
        try required(optionalReal(column), column, "a number")
    }

    /// Returns a floating-point column, `nil` for null; stored integers are converted, as an engine may store 1.0 as 1.
    package func optionalReal(_ column: String) throws -> Double? {
        switch try value(column) {
        case .null: nil
        case .integer(let number): Double(number)
        case .real(let number): number
        default: throw unexpected(column, "a number")
        }
    }

    /// Returns a text column.
    package func text(_ column: String) throws -> String {
        try required(optionalText(column), column, "a text")
    }

    /// Returns a text column, `nil` for null.
    package func optionalText(_ column: String) throws -> String? {
        switch try value(column) {
        case .null: nil
        case .text(let text): text
        default: throw unexpected(column, "a text")
        }
    }

    /// Returns a Boolean stored as the integer 0 or 1.
    package func bool(_ column: String) throws -> Bool {
        switch try int64(column) {
        case 0: false
        case 1: true
        default: throw unexpected(column, "0 or 1")
        }
    }

    /// Returns a timestamp stored as microseconds since 1970.
    package func timestamp(_ column: String) throws -> Timestamp {
        Timestamp(microseconds: try int64(column))
    }

    /// Returns a timestamp stored as microseconds since 1970, `nil` for null.
    package func optionalTimestamp(_ column: String) throws -> Timestamp? {
        try optionalInt64(column).map { Timestamp(microseconds: $0) }
    }

    /// Returns a SHA-256 digest stored as hexadecimal text.
    package func digest(_ column: String) throws -> Digest {
        try required(optionalDigest(column), column, "a digest")
    }

    /// Returns a SHA-256 digest stored as hexadecimal text, `nil` for null.
    package func optionalDigest(_ column: String) throws -> Digest? {
        guard let hex = try optionalText(column) else { return nil }
        guard let digest = Digest(hex: hex) else { throw unexpected(column, "a digest") }
        return digest
    }

    /// Returns an enumeration case stored as its raw text; throws for an unknown one.
    package func oneOf<Choice: RawRepresentable<String>>(_ column: String) throws -> Choice {
        let text = try text(column)
        guard let choice = Choice(rawValue: text) else {
            throw MartletError(
                .machine, "metadata.corrupt", "The metadata database holds '\(text)' in \(column), an unknown word.",
                remedy: "It was altered from outside, or is damaged: restore martlet.db from a copy.")
        }
        return choice
    }

    private func required<Value>(_ value: Value?, _ column: String, _ expected: String) throws -> Value {
        guard let value else { throw unexpected(column, expected) }
        return value
    }

    private func unexpected(_ column: String, _ expected: String) -> MartletError {
        MartletError(
            .machine, "metadata.corrupt", "The metadata database holds something other than \(expected) in \(column).",
            remedy: "It was altered from outside, or is damaged: restore martlet.db from a copy.")
    }
}
