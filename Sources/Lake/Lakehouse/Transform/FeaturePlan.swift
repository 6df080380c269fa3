package import Core
package import SQLLineage

/// What it takes to compute single rows of a model's table from raw rows, by the project's own SQL.
package struct FeaturePlan {
    /// Which rows of a source can matter for one record: a promise that is put to the proof, see ``FeatureEngine``.
    package struct Source {
        package var contract: Contract
        package var format: SourceFormat
        /// Parquet files of the bronze table, in the table's order.
        package var files: [String]
        /// Only rows that agree with the record in one of these columns; all rows when empty.
        package var same: [String]
        /// Only rows whose event is at most this many seconds before the record's; all rows when `nil`.
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

    package var sources: [Source]
    /// What makes the table, parents first.
    package var transforms: [PlannedTransform]
    package var table: TableName
    /// The column of the table, and of the record's source, that names a record.
    package var key: String
    /// The source whose rows are the records; its event time is the moment of prediction.
    package var record: String
    /// The columns of the table that a model learns from.
    package var features: [String]
    /// The table's Parquet files, if it stands as this plan makes it of these files.
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

/// One value of a feature row.
package enum FeatureValue: Sendable, Equatable {
    /// Also for NaN, which learners take for missing as well.
    case null
    case number(Double)
    case integer(Int64)
    case flag(Bool)
    case text(String)

    /// The same bits, not only equal: 0.0 and -0.0 differ.
    package func isSame(as other: FeatureValue) -> Bool {
        if case .number(let a) = self, case .number(let b) = other { return a.bitPattern == b.bitPattern }
        return self == other
    }

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

/// The feature row of one record, as of its own moment.
package struct FeatureRow: Sendable {
    package var key: String
    package var moment: String
    /// In the order of ``FeatureEngine/columns``; `nil` when the project's SQL leaves the record out.
    package var values: [FeatureValue]?

    package init(key: String, moment: String, values: [FeatureValue]?) {
        self.key = key
        self.moment = moment
        self.values = values
    }
}

/// What is wrong with a raw row.
package struct RowFault: Sendable, Equatable, Encodable {
    /// Where in the request, as a JSON path: "$.rows.queue_logs[0].wait_min".
    package var path: String
    /// The promise that is broken, as the contract names it: "min 0", "not null", "type double".
    package var rule: String
    package var value: String?

    package init(path: String, rule: String, value: String?) {
        self.path = path
        self.rule = rule
        self.value = value
    }
}

/// Raw rows by source, each a JSON object.
package typealias RawRows = [String: [[String: JSONValue]]]

/// What became of raw rows that were looked at.
package struct RowVerdict: Sendable {
    /// Breaches of promises; rows count for nothing as long as there is one.
    package var faults: [RowFault] = []
    package var warnings: [RowFault] = []
    /// Rows, by source and place in the request, that say something the state does not hold yet.
    package var news: [String: [Int]] = [:]
    /// Whether rows of one source have the same key. Of those the last counts, since they came together.
    package var hasRepeatedKeys = false

    package init() {}
}

/// Whether the engine's way is the table's way.
package struct FeatureProof: Sendable {
    /// Records whose features were computed both ways.
    package var records = 0
    /// Whether only the rows are read that the plan says matter.
    package var isRestricted = true
    /// Why they are not: the first feature that came out otherwise.
    package var restriction: String?
    /// The first feature that knows the future in the table, or depends on more than the rows before it.
    package var difference: String?

    package init() {}
}

/// Computes single feature rows by the project's SQL over raw rows held in memory, as of each record's own moment.
///
/// One thread owns it. Rows come in by ``look(at:)`` and, if they are to be known to later records, ``keep(_:)``.
package protocol FeatureEngine {
    /// Names and Delta types of the table's columns.
    var columns: [DeltaField] { get }

    /// The sources whose rows are read.
    var sourceNames: Set<String> { get }

    /// Computes records of the table again, as of their moments, over the rows that the plan says matter.
    ///
    /// Where a row comes out otherwise than in the table, it is computed over all rows. If that is what the table
    /// says, the plan's restriction is given up; if not, the table knows what was not known then.
    func prove(records: Int) throws -> FeatureProof

    /// Reads raw rows under their contracts; without faults, features see them from here on until the next call.
    func look(at rows: RawRows) throws -> RowVerdict

    /// Makes rows that were looked at last part of the state.
    func keep(_ verdict: RowVerdict) throws

    /// The keys of the records among the rows that were looked at last.
    func keys() throws -> [String]

    /// The feature row of a record; `nil` when no source knows the record.
    func features(of key: String) throws -> FeatureRow?
}
