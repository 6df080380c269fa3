package import Core
package import SQLLineage
package import SourceFormats

/// Plan for computing single rows of a model's table from raw rows, by the project's own SQL.
///
/// ```swift
/// let plan = try workspace.featurePlan(model, of: reference)
/// let engine = try DuckDBFeatureEngine(plan, memoryLimit: "1GB", spillFolder: spill, pause: pause)
/// ```
package struct FeaturePlan {
    /// A source of raw rows and the restriction of which of them can affect one record.
    ///
    /// The restriction is checked by ``FeatureEngine/prove(records:)``.
    package struct Source {
        /// Contract of the source, with columns that no model needs made optional.
        package var contract: Contract
        /// Format of the source's files; its `trim` and `missing` apply to raw rows, too.
        package var format: SourceFormat
        /// Parquet files of the bronze table, in the table's order.
        package var files: [String]
        /// Columns in one of which a row must equal the record to matter; all rows matter when empty.
        package var same: [String]
        /// Largest age in seconds of a row's event before the record's to matter; all rows when `nil`.
        package var lookback: Int?

        package init(
            contract: Contract, format: SourceFormat, files: [String], same: [String] = [], lookback: Int? = nil
        ) {
            self.contract = contract
            self.format = format
            self.files = files
            self.same = same
            self.lookback = lookback
        }
    }

    /// The sources that the table is made from, directly or through other tables.
    package var sources: [Source]
    /// Transforms that make the table, parents first.
    package var transforms: [PlannedTransform]
    /// Table that the model is trained on; its rows are the feature rows.
    package var table: TableName
    /// Column of the table, and of the record's source, that identifies a record.
    package var key: String
    /// Source whose rows are the records; its event time is the time of prediction.
    package var record: String
    /// Columns of the table that the model learns from.
    package var features: [String]
    /// The table's Parquet files, if the table is up to date with this plan.
    package var reference: [String]?

    package init(
        sources: [Source], transforms: [PlannedTransform], table: TableName, key: String, record: String,
        features: [String], reference: [String]? = nil
    ) {
        self.sources = sources
        self.transforms = transforms
        self.table = table
        self.key = key
        self.record = record
        self.features = features
        self.reference = reference
    }
}

/// One value of a feature row: a number, an integer, a Boolean, a text, or null.
package enum FeatureValue: Sendable, Equatable {
    /// Also for NaN, which learners take for missing as well.
    case null
    case number(Double)
    case integer(Int64)
    case flag(Bool)
    case text(String)

    /// Whether both have the same bits: 0.0 and -0.0 differ.
    package func isSame(as other: FeatureValue) -> Bool {
        if case .number(let a) = self, case .number(let b) = other { return a.bitPattern == b.bitPattern }
        return self == other
    }

    /// The value as JSON.
    package var json: JSONValue {
        switch self {
        case .null: .null
        case .number(let value): value.isFinite ? .number(value) : .text("\(value)")
        case .integer(let value): .integer(value)
        case .flag(let value): .flag(value)
        case .text(let value): .text(value)
        }
    }
}

/// The feature row of one record, computed as of its own time.
package struct FeatureRow: Sendable {
    /// Key of the record, as it was asked for.
    package var key: String
    /// Event time of the record as SQL text; what became known later has no effect on the values.
    package var moment: String
    /// Values in the order of ``FeatureEngine/columns``; `nil` when the project's SQL excludes the record.
    package var values: [FeatureValue]?

    package init(key: String, moment: String, values: [FeatureValue]?) {
        self.key = key
        self.moment = moment
        self.values = values
    }
}

/// A violation found in a raw row of a request.
package struct RowFault: Sendable, Equatable, Encodable {
    /// Location in the request as a JSON path: "$.rows.queue_logs[0].wait_min".
    package var path: String
    /// The violated rule as the contract names it: "min 0", "not null", "type double".
    package var rule: String
    /// Text of the cell; `nil` when it is null or missing, or the fault is not in a value.
    package var value: String?

    package init(path: String, rule: String, value: String?) {
        self.path = path
        self.rule = rule
        self.value = value
    }
}

/// Raw rows by source, each a JSON object.
package typealias RawRows = [String: [[String: JSONValue]]]

/// Result of checking raw rows against their contracts.
package struct RowVerdict: Sendable {
    /// Violations; while there is one, none of the rows is used.
    package var faults: [RowFault] = []
    /// Violations that the contract only warns of.
    package var warnings: [RowFault] = []
    /// Rows, by source and position in the request, that the state does not have yet.
    package var news: [String: [Int]] = [:]
    /// Whether rows of one source have the same key; of those the last one is used.
    package var hasRepeatedKeys = false

    package init() {}
}

/// Result of comparing computed feature rows with those of the table.
package struct FeatureProof: Sendable {
    /// Number of records whose features were computed both ways.
    package var records = 0
    /// Whether only the rows that the plan selects are read.
    package var isRestricted = true
    /// Why all rows are read instead: the first feature that differed.
    package var restriction: String?
    /// The first feature that uses the future in the table, or depends on more than earlier rows.
    package var difference: String?

    package init() {}
}

/// Computes single feature rows by the project's SQL over raw rows in memory, as of each record's own time.
///
/// One thread owns it. Rows are passed to ``look(at:)`` and, to be visible to later records, to ``keep(_:)``.
package protocol FeatureEngine {
    /// Names and Delta types of the table's columns.
    var columns: [DeltaField] { get }

    /// The sources whose rows are read.
    var sourceNames: Set<String> { get }

    /// Recomputes records of the table as of their times and compares, to check the plan's restriction.
    ///
    /// Where a row differs from the table, it is computed over all rows. If that equals the table, the restriction is
    /// dropped; if not, the table uses what was not known at the time.
    func prove(records: Int) throws -> FeatureProof

    /// Checks raw rows against their contracts; without faults, features see them until the next call.
    func look(at rows: RawRows) throws -> RowVerdict

    /// Adds the rows of the last check to the state.
    func keep(_ verdict: RowVerdict) throws

    /// Returns the keys of the records among the rows checked last.
    func keys() throws -> [String]

    /// Computes the feature row of a record; `nil` when no source has the record.
    func features(of key: String) throws -> FeatureRow?
}
