internal import Core
package import DelimitedText

/// What a source promises about its files: columns, types, ranges, keys. A breach is a violation.
package struct Contract: Sendable, Equatable {
    /// What happens to a row, or a file, that breaks a promise.
    package enum OnViolation: String, Sendable, CaseIterable {
        case rejectRow = "reject-row"
        case rejectFile = "reject-file"
        case warn
    }

    /// What happens when a key comes a second time, in the same file or a later one.
    package enum OnKeyConflict: String, Sendable, CaseIterable {
        /// The row that was first stays; the later one goes to quarantine.
        case reject
        /// The row that came last stays; time travel still shows the earlier one.
        case latestWins = "latest-wins"
    }

    package struct Column: Sendable, Equatable {
        package var name: String
        package var type: ColumnType
        /// Header names under which a file may bring the column; its own name when empty.
        package var from: [String] = []
        /// The place of its cell in a record, from 1, whatever the header says.
        package var position: Int?
        package var nullable = true
        /// The file may lack the column; it is then null.
        package var optional = false
        /// Inclusive bounds, as written in the contract: a number, a date or a timestamp.
        package var min: String?
        package var max: String?
        package var allowed: [String] = []
        /// A regular expression (RE2) that the whole text must match.
        package var pattern: String?
        /// How dates and timestamps are written (strptime), ISO 8601 when absent.
        package var format: String?
        package var unit: String?
        /// Texts that mean "missing" in this column, besides those of the source.
        package var missing: [String] = []
        package var onViolation: OnViolation?
        /// The column that holds the moment since when this value is known; `nil`: as soon as the row is.
        package var availableAt: String?

        package init(name: String, type: ColumnType) {
            self.name = name
            self.type = type
        }

        package var headerNames: [String] { from.isEmpty ? [name] : from }
    }

    package var source: String
    /// The contract's own file, for messages.
    package var file: String
    package var columns: [Column]
    package var key: [String] = []
    package var onKeyConflict: OnKeyConflict = .reject
    package var onViolation: OnViolation = .rejectRow
    /// The column that holds the moment at which a row's event happened.
    package var eventTime: String?
    /// The column that holds the moment since when a row is known; `nil`: since its event.
    package var availableAt: String?
    /// The largest share of bad rows with which a file is still taken, 0...1; `nil`: ``usualShare``, for files of at
    /// least ``fewRows`` rows.
    package var maxRejected: Double?
    /// Changes whenever the contract or the source's format does: a file that was refused is looked at again then.
    package var revision = ""
    /// Whether each row is judged for itself, whatever the contract says of whole files.
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
    /// What `max_rejected` is when a contract does not say it.
    package static let usualShare = 0.05
    /// In a file of fewer rows than these, one bad row alone would be more than the usual share.
    package static let fewRows = 20

    /// The columns of the bronze table: the contract's own, then which file and which row of it a row came from.
    package var fields: [DeltaField] {
        columns.map { DeltaField(name: $0.name, type: $0.type.delta) }
            + [DeltaField(name: "_file", type: "string"), DeltaField(name: "_row", type: "long")]
    }

    /// What decides which rows are taken and how they are read, as a digest: a contract with other words around the
    /// same promises, another unit or another `available_at` has the same.
    package var terms: String { whole.isEmpty ? revision : whole }

    /// Judges each row for itself, whatever the contract says of whole files.
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

    /// The same promises where files, and cells, may lack these columns.
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

/// The types a contract can promise.
package enum ColumnType: Sendable, Equatable, CustomStringConvertible {
    case text, bigint, integer, double, boolean, date, timestamp
    case decimal(precision: Int, scale: Int)

    package static let spellings = [
        "text", "bigint", "integer", "double", "boolean", "date", "timestamp", "decimal(p,s)",
    ]

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

/// How a source writes its files.
package struct SourceFormat: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable { case csv, parquet }

    package var kind: Kind = .csv
    /// Empty: any run of spaces and tabs.
    package var delimiter = ","
    package var quote = "\""
    /// Takes its meaning from the next character; empty: a doubled quote is the only way to write one.
    package var escape = ""
    /// Lines that begin with it are no records; empty: there are none.
    package var comment = ""
    package var header = true
    package var encoding: TextEncoding = .utf8
    /// Between whole and fraction of a number, and between its groups of three digits; no groups when empty.
    package var decimal = "."
    package var thousands = ""
    /// Texts that mean "missing"; an empty cell always does.
    package var missing: [String] = []
    /// Drop blanks around each cell before anything else looks at it.
    package var trim = false
    package var skipLines = 0

    package init() {}

    /// What differs from the defaults, a line a setting: two formats that read alike have one text, whatever settings
    /// later versions of Martlet know.
    package var settings: String {
        let usual = SourceFormat()
        var lines: [String] = []
        func add<T: Equatable>(_ name: String, _ path: KeyPath<SourceFormat, T>) {
            if self[keyPath: path] != usual[keyPath: path] { lines.append("\(name): \(self[keyPath: path])") }
        }
        add("format", \.kind)
        add("delimiter", \.delimiter)
        add("quote", \.quote)
        add("escape", \.escape)
        add("comment", \.comment)
        add("header", \.header)
        add("encoding", \.encoding)
        add("decimal", \.decimal)
        add("thousands", \.thousands)
        add("missing", \.missing)
        add("trim", \.trim)
        add("skip_lines", \.skipLines)
        return lines.joined(separator: "\n")
    }
}
