internal import Core

/// The contract of a source: the columns, types, ranges and keys that its files must have.
///
/// ```swift
/// var age = Contract.Column(name: "age", type: .integer)
/// age.min = "0"
/// let contract = Contract(source: "visits", file: "contracts/visits.yaml", columns: [age])
/// ```
package struct Contract: Sendable, Equatable {
    /// What happens to a row, or a file, that violates the contract.
    package enum OnViolation: String, Sendable, CaseIterable {
        case rejectRow = "reject-row"
        case rejectFile = "reject-file"
        case warn
    }

    /// What happens when a key occurs again, in the same file or a later one.
    package enum OnKeyConflict: String, Sendable, CaseIterable {
        /// The row that was first stays; the later one goes to quarantine.
        case reject
        /// The row that came last stays; time travel still shows the earlier one.
        case latestWins = "latest-wins"
    }

    /// One column of a contract.
    package struct Column: Sendable, Equatable {
        /// Name of the column in the contract, in the bronze table and in SQL.
        package var name: String
        /// Type of the column's values in the bronze table; a cell that is not of it violates the contract.
        package var type: ColumnType
        /// Header names under which a file may have the column; its own name when empty.
        package var from: [String] = []
        /// Position of the column's cell in a record, from 1, whatever the header says.
        package var position: Int?
        /// Whether the value may be missing.
        package var nullable = true
        /// Whether a file may lack the column; its values are then null.
        package var optional = false
        /// Inclusive lower bound, as written in the contract: a number, a date or a timestamp.
        package var min: String?
        /// Inclusive upper bound, as written in the contract.
        package var max: String?
        /// The only values allowed; any when empty.
        package var allowed: [String] = []
        /// Regular expression (RE2) that the whole text must match.
        package var pattern: String?
        /// Format of dates and timestamps (strptime); ISO 8601 when `nil`.
        package var format: String?
        /// Unit of measurement: "kg".
        package var unit: String?
        /// Texts that stand for a missing value in this column, besides those of the source.
        package var missing: [String] = []
        /// What happens on a violation in this column; `nil`: as for the whole contract.
        package var onViolation: OnViolation?
        /// Column with the time from which this value is known; `nil`: with its row.
        package var availableAt: String?

        package init(name: String, type: ColumnType) {
            self.name = name
            self.type = type
        }

        /// The header names under which a file may have the column.
        package var headerNames: [String] { from.isEmpty ? [name] : from }
    }

    /// Name of the source.
    package var source: String
    /// Path of the contract file, for messages.
    package var file: String
    /// Columns in the order of the contract file, which is also that of the bronze table.
    package var columns: [Column]
    /// Columns that together identify a row.
    package var key: [String] = []
    /// What happens to rows with the same `key`; of no effect without a key.
    package var onKeyConflict: OnKeyConflict = .reject
    /// What happens on a violation, unless its column has an `onViolation` of its own.
    package var onViolation: OnViolation = .rejectRow
    /// Column with the time at which a row's event happened.
    package var eventTime: String?
    /// Column with the time from which a row is known; `nil`: its event time.
    package var availableAt: String?
    /// Largest share of bad rows with which a file is accepted, 0...1.
    ///
    /// `nil`: ``usualShare``, for files of at least ``fewRows`` rows.
    package var maxRejected: Double?
    /// Digest of contract and format; when it changes, files rejected earlier are tried again.
    package var revision = ""
    /// Whether each row is judged alone, whatever the contract says of whole files.
    package private(set) var isByRow = false
    /// The revision before it was made to judge rows.
    private var whole = ""

    package init(source: String, file: String, columns: [Column]) {
        self.source = source
        self.file = file
        self.columns = columns
    }
}

extension Contract {
    /// Default of `max_rejected`.
    package static let usualShare = 0.05
    /// Number of rows below which a file is not rejected for its share of bad rows by default.
    package static let fewRows = 20

    /// Columns of the bronze table: the contract's own, then the file and the row number that a row came from.
    package var fields: [DeltaField] {
        columns.map { DeltaField(name: $0.name, type: $0.type.delta) }
            + [DeltaField(name: "_file", type: "string"), DeltaField(name: "_row", type: "long")]
    }

    /// Digest of everything that decides which rows are accepted and how they are read.
    ///
    /// A contract with other comments around the same promises, another unit or another `available_at` has the same.
    package var terms: String { whole.isEmpty ? revision : whole }

    /// Makes each row be judged alone, whatever the contract says of whole files.
    package mutating func judgeRows() {
        isByRow = true
        maxRejected = 1
        if onViolation == .rejectFile { onViolation = .rejectRow }
        for index in columns.indices where columns[index].onViolation == .rejectFile {
            columns[index].onViolation = .rejectRow
        }
        whole = terms
        revision = Digest(of: revision + " by row").hex
    }

    /// Returns a copy in which these columns are optional and nullable.
    package func sparing(_ names: Set<String>) -> Contract {
        var contract = self
        for index in columns.indices where names.contains(columns[index].name) {
            contract.columns[index].optional = true
            contract.columns[index].nullable = true
        }
        return contract
    }

    /// Refuses a contract that takes a column away from a table, or gives one another type: what was written under
    /// the earlier contract could no longer be read under this one. New columns are welcome.
    func checkFits(_ existing: [DeltaField]) throws {
        let wanted = Dictionary(fields.map { ($0.name, $0.type) }) { first, _ in first }
        for field in existing where wanted[field.name] != field.type {
            let change = wanted[field.name].map { "changes from \(field.type) to \($0)" } ?? "is gone"
            throw MartletError(
                .input, "contract.incompatible",
                "The column \(field.name) \(change), but bronze.\(source) already holds rows under the earlier contract.",
                at: .init(file: file),
                remedy: "Read the known files under this contract with `martlet ingest --again --source \(source)`, or "
                    + "keep the column as it was (optional: true lets files leave it out).")
        }
    }
}

/// The column types that a contract can declare.
package enum ColumnType: Sendable, Equatable, CustomStringConvertible {
    case text, bigint, integer, double, boolean, date, timestamp
    case decimal(precision: Int, scale: Int)

    /// The type names accepted in a contract, for messages.
    package static let spellings = [
        "text", "bigint", "integer", "double", "boolean", "date", "timestamp", "decimal(p,s)",
    ]

    /// Parses a type name; `nil` for an unknown one.
    package init?(_ text: String) {
        switch text {
        case "text": self = .text
        case "bigint": self = .bigint
        case "integer": self = .integer
        case "double": self = .double
        case "boolean": self = .boolean
        case "date": self = .date
        case "timestamp": self = .timestamp
        default:
            guard text.hasPrefix("decimal("), text.hasSuffix(")") else { return nil }
            let numbers = text.dropFirst(8).dropLast().split(separator: ",").map {
                Int(String($0).filter { $0 != " " })
            }
            guard numbers.count == 2, let precision = numbers[0], let scale = numbers[1],
                (1...38).contains(precision), (0...precision).contains(scale)
            else { return nil }
            self = .decimal(precision: precision, scale: scale)
        }
    }

    /// The Delta type that holds it.
    var delta: String {
        switch self {
        case .text: "string"
        case .bigint: "long"
        case .integer: "integer"
        case .double: "double"
        case .boolean: "boolean"
        case .date: "date"
        case .timestamp: "timestamp_ntz"
        case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
        }
    }

    package var description: String {
        switch self {
        case .text: "text"
        case .bigint: "bigint"
        case .integer: "integer"
        case .double: "double"
        case .boolean: "boolean"
        case .date: "date"
        case .timestamp: "timestamp"
        case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
        }
    }
}
