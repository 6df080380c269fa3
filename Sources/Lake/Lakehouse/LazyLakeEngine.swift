internal import Core
package import SQLLineage
package import SourceFormats

/// A `LakeEngine` that starts the real engine on first use, so that commands with nothing to do skip its cost.
///
/// ```swift
/// let engine = LazyLakeEngine(identity: "duckdb \(Database.version)") {
///     try DuckDBLakeEngine(threads: 2, memoryLimit: "2GB", spillFolder: home.spill, pause: context.clock.block)
/// }
/// ```
package final class LazyLakeEngine: LakeEngine {
    /// Name and version of the real engine, given at creation so that it need not start.
    package let identity: String
    private let start: () throws -> any LakeEngine
    private var started: (any LakeEngine)?

    /// Makes an engine with this identity that runs `start` on first use.
    package init(identity: String, start: @escaping () throws -> any LakeEngine) {
        self.identity = identity
        self.start = start
    }

    func engine() throws -> any LakeEngine {
        if let started { return started }
        let engine = try start()
        started = engine
        return engine
    }

    /// Parses one SELECT.
    package func parse(_ sql: String, file: String) throws -> SelectStatement {
        try engine().parse(sql, file: file)
    }
    /// Throws when a pattern or bound of the contract is not valid for the engine.
    package func check(_ contract: Contract) throws { try engine().check(contract) }
    /// Checks landed files against their contract, and writes accepted and rejected rows to new Parquet files.
    package func accept(_ request: AcceptRequest) throws -> BatchAcceptance { try engine().accept(request) }
    /// Compares a file's schema with its contract and the table so far.
    package func drift(_ request: DriftRequest) throws -> [SchemaDrift] { try engine().drift(request) }
    /// Detects changed units in rows just written, against the table so far.
    package func shiftedUnits(
        in written: [String], against existing: [String], contract: Contract
    ) throws -> [String: [SchemaDrift]] {
        try engine().shiftedUnits(in: written, against: existing, contract: contract)
    }
    /// Writes the rows of a SELECT to a new Parquet file.
    package func materialise(_ query: Query, into file: String) throws -> WrittenFile {
        try engine().materialise(query, into: file)
    }
    /// Computes a part of a SELECT and works out what it replaces.
    package func materialise(_ request: SliceRequest) throws -> Slice? { try engine().materialise(request) }
    /// Finds the earliest moment in `column` among rows that are in only one of two lists of Parquet files.
    package func earliestChange(in column: String, from old: [String], to new: [String]) throws -> EarliestChange {
        try engine().earliestChange(in: column, from: old, to: new)
    }
    /// Computes the order-independent hash of the rows of Parquet files that meet a condition in SQL.
    package func contentHash(of files: [String], where condition: String?, by scheme: ContentHash.Scheme) throws
        -> ContentHash
    { try engine().contentHash(of: files, where: condition, by: scheme) }
    /// Runs a SELECT and returns its rows as typed columns.
    package func columns(
        _ query: Query, as kinds: [(name: String, kind: ReadKind)], orderedBy: [String]
    ) throws -> [LakeColumn] { try engine().columns(query, as: kinds, orderedBy: orderedBy) }
    /// Returns the names and types of a SELECT's columns, without running it.
    package func describe(_ query: Query) throws -> [DeltaField] { try engine().describe(query) }
    /// Runs a SELECT and returns its rows as text, for display.
    package func texts(_ query: Query, limit: Int?) throws -> TextTable { try engine().texts(query, limit: limit) }
    /// Writes typed columns to a Parquet file as a table's content.
    package func write(_ columns: [(name: String, column: LakeColumn)], into file: String) throws -> WrittenFile {
        try engine().write(columns, into: file)
    }
    /// Writes rows produced in batches to a Parquet file as a table's content.
    package func write(_ batches: LakeBatches, into file: String) throws -> WrittenFile {
        try engine().write(batches, into: file)
    }
    /// Returns the header names of a CSV or Parquet file.
    package func header(of file: String, format: SourceFormat) throws -> [String] {
        try engine().header(of: file, format: format)
    }
    /// Writes the actions of a Delta checkpoint to one Parquet file.
    package func writeCheckpoint(_ actions: [DeltaAction], into file: String) throws {
        try engine().writeCheckpoint(actions, into: file)
    }
    /// Reads the actions of a Delta checkpoint from its Parquet files.
    package func readCheckpoint(_ files: [String]) throws -> [DeltaAction] { try engine().readCheckpoint(files) }
    /// Returns the schema of each Parquet file as a text, equal for files that can be concatenated as they are.
    package func layouts(of files: [String]) throws -> [String: String] { try engine().layouts(of: files) }
    /// Concatenates Parquet files with the same columns to one new file, rows in order.
    package func rewrite(_ files: [String], into file: String) throws -> RewrittenFiles {
        try engine().rewrite(files, into: file)
    }
}
