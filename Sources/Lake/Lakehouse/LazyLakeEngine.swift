internal import Core
package import SQLLineage

/// A `LakeEngine` that starts the real engine on first use, so that commands with nothing to do skip its cost.
///
/// ```swift
/// let engine = LazyLakeEngine(identity: "duckdb \(Database.version)") {
///     try DuckDBLakeEngine(threads: 2, memoryLimit: "2GB", spillFolder: home.spill, pause: context.clock.block)
/// }
/// ```
package final class LazyLakeEngine: LakeEngine {
    package let identity: String
    private let start: () throws -> any LakeEngine
    private var started: (any LakeEngine)?

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

    package func parse(_ sql: String, file: String) throws -> SelectStatement {
        try engine().parse(sql, file: file)
    }
    package func check(_ contract: Contract) throws { try engine().check(contract) }
    package func accept(_ request: AcceptRequest) throws -> BatchAcceptance { try engine().accept(request) }
    package func materialise(_ query: Query, into file: String) throws -> WrittenFile {
        try engine().materialise(query, into: file)
    }
    package func materialise(_ request: SliceRequest) throws -> Slice? { try engine().materialise(request) }
    package func earliestChange(in column: String, from old: [String], to new: [String]) throws -> EarliestChange {
        try engine().earliestChange(in: column, from: old, to: new)
    }
    package func contentHash(of files: [String]) throws -> ContentHash { try engine().contentHash(of: files) }
    package func contentHash(of files: [String], where condition: String) throws -> ContentHash {
        try engine().contentHash(of: files, where: condition)
    }
    package func columns(
        _ query: Query, as kinds: [(name: String, kind: ReadKind)], orderedBy: [String]
    ) throws -> [LakeColumn] { try engine().columns(query, as: kinds, orderedBy: orderedBy) }
    package func describe(_ query: Query) throws -> [DeltaField] { try engine().describe(query) }
    package func texts(_ query: Query, limit: Int?) throws -> TextTable { try engine().texts(query, limit: limit) }
    package func write(_ columns: [(name: String, column: LakeColumn)], into file: String) throws -> WrittenFile {
        try engine().write(columns, into: file)
    }
    package func write(_ batches: LakeBatches, into file: String) throws -> WrittenFile {
        try engine().write(batches, into: file)
    }
    package func header(of file: String, format: SourceFormat) throws -> [String] {
        try engine().header(of: file, format: format)
    }
    package func writeCheckpoint(_ actions: [DeltaAction], into file: String) throws {
        try engine().writeCheckpoint(actions, into: file)
    }
    package func readCheckpoint(_ files: [String]) throws -> [DeltaAction] { try engine().readCheckpoint(files) }
    package func layouts(of files: [String]) throws -> [String: String] { try engine().layouts(of: files) }
    package func rewrite(_ files: [String], into file: String) throws -> RewrittenFiles {
        try engine().rewrite(files, into: file)
    }
}
