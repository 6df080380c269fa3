internal import Core
internal import DuckDB
package import Lakehouse
internal import SQLLineage
internal import Storage

/// The `LakeEngine` on an embedded in-memory DuckDB, with tables as Parquet files.
///
/// ```swift
/// let engine = try DuckDBLakeEngine(
///     threads: 2, memoryLimit: "2GB", spillFolder: home.spill, pause: context.clock.block)
/// let columns = try engine.describe(query)
/// ```
package final class DuckDBLakeEngine: LakeEngine {
    let connection: Connection
    let spillFolder: String
    /// Slice size in bytes; a CSV file larger than one and a half slices is read slice by slice, in little memory.
    package var sliceBytes: Int64 = 24 << 20
    /// Where DuckDB reads the records that are staged.
    let textTables: TextTables
    /// Where it reads rows that are made while they are written; `nil` in a second session.
    let batchTables: BatchTables?
    /// This session's name among them.
    let textTable: String
    /// What the engine's catalogue says of its functions, once it was asked.
    var catalogue: FunctionCatalogue?
    /// The contract that was looked at last.
    var checked: Contract?
    let threads: Int
    private let database: Database
    private var companion: DuckDBLakeEngine?

    /// Starts an in-memory DuckDB.
    /// - Parameters:
    ///   - threads: how many threads a query may use; results do not depend on it.
    ///   - memoryLimit: in DuckDB's spelling, e.g. "2GB".
    ///   - spillFolder: where larger-than-memory work goes.
    ///   - pause: holds the thread for so many seconds, while DuckDB's own threads work.
    package init(
        threads: Int, memoryLimit: String, spillFolder: String, pause: @escaping (Double) -> Void
    ) throws {
        self.threads = threads
        self.spillFolder = spillFolder
        do {
            database = try Database(
                options: [
                    "threads": "\(threads)", "memory_limit": memoryLimit, "temp_directory": spillFolder,
                    "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
                ], pause: pause)
            textTable = "staging"
            connection = try Self.session(of: database)
            textTables = try TextTables.register(with: connection)
            batchTables = try BatchTables.register(with: connection)
            try RowHash.register(with: connection)
            try connection.execute(
                """
                CREATE SCHEMA bronze; CREATE SCHEMA silver; CREATE SCHEMA gold; CREATE SCHEMA quarantine;
                CREATE SCHEMA monitoring;
                """)
        } catch let error as DuckDBError {
            throw MartletError(.machine, "engine.start", "DuckDB did not start: \(error.message)")
        }
    }

    /// A second session of the same database, with temporary tables of its own.
    private init(besides other: DuckDBLakeEngine) throws {
        threads = 1
        spillFolder = other.spillFolder
        database = other.database
        textTable = "staging-2"
        textTables = other.textTables
        batchTables = nil
        connection = try Self.session(of: database)
    }

    private static func session(of database: Database) throws -> Connection {
        let connection = try database.connect()
        try connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = true")
        return connection
    }

    /// The engines that can work at the same time, each on a thread of its own: this one, and where there is more
    /// than one thread, another session of the same database.
    func lanes() throws -> [DuckDBLakeEngine] {
        guard threads > 1 else { return [self] }
        let second = try companion ?? DuckDBLakeEngine(besides: self)
        companion = second
        return [self, second]
    }

    /// Name and version of DuckDB.
    package var identity: String { "duckdb \(Database.version)" }

    /// Returns the names and types of a SELECT's columns, without running it.
    package func describe(_ query: Query) throws -> [DeltaField] {
        try prepare(query)
        return try explained(query) { try fields(of: statement(query)) }
    }

    /// Writes the rows of a SELECT to a new Parquet file.
    package func materialise(_ query: Query, into file: String) throws -> WrittenFile {
        try prepare(query)
        return try explained(query) {
            let (fields, select) = try projection(query)
            if let by = query.orderedBy, !fields.contains(where: { $0.name == by }) {
                throw noColumn(by, fields, query)
            }
            return try onOneThread(query.inRowOrder || areSmall(query.inputs.values.joined())) {
                let sorted = query.orderedBy.map { order(fields, by: $0) } ?? ""
                let written = try copy("SELECT * FROM (\(select)) \(sorted)", to: file, fields)
                if let by = query.orderedBy { try refuseMissing(by, in: Quote.parquet([file]), query) }
                return written
            }
        }
    }

    private func noColumn(_ by: String, _ fields: [DeltaField], _ query: Query) -> MartletError {
        let near = Spelling.nearest(to: by, among: fields.map(\.name))
        return MartletError(
            .input, "transform.incremental", "The SELECT gives no column \(by), which incremental.by names.",
            at: query.file.map { .init(file: $0) }, remedy: near.map { "Did you mean \($0)?" })
    }

    /// The columns that a table will have, and the SELECT that gives them in types that it can hold.
    func projection(_ query: Query) throws -> (fields: [DeltaField], select: String) {
        let sql = statement(query)
        var fields: [DeltaField] = []
        var projection: [String] = []
        for (name, type) in try describeTypes(sql) {
            guard let mapped = DeltaTypes.delta(type) else {
                throw MartletError(
                    .input, "transform.type", "Column \(name) has the type \(type), which a table cannot hold.",
                    at: query.file.map { .init(file: $0) },
                    remedy: "Cast it in the SELECT, for example to TEXT, DOUBLE or BIGINT.")
            }
            fields.append(DeltaField(name: name, type: mapped.type))
            let quoted = Quote.name(name)
            projection.append(mapped.cast.map { "CAST(\(quoted) AS \($0)) AS \(quoted)" } ?? quoted)
        }
        try refuseRepeatedNames(fields, query)
        return (fields, "SELECT \(projection.joined(separator: ", ")) FROM (\n\(sql)\n)")
    }

    /// A group of rows is in memory as a whole while it is written: those of wide tables have fewer rows.
    static func parquetOptions(columns: Int) -> String {
        let rows = max(2_048, min(122_880, 2_000_000 / max(1, columns) / 2_048 * 2_048))
        return "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v1, ROW_GROUP_SIZE \(rows))"
    }

    func copy(_ select: String, to file: String, _ fields: [DeltaField]) throws -> WrittenFile {
        let rows = try connection.execute(
            "COPY (\(select)) TO \(Quote.text(file)) \(Self.parquetOptions(columns: fields.count))")
        try Failpoint.reach("engine.parquet.written")
        let hash = try hash(of: fields, in: Quote.parquet([file]))
        return WrittenFile(path: file, rows: rows, fields: fields, hash: hash)
    }

    /// Runs a SELECT and returns its rows as text, for display.
    package func texts(_ query: Query, limit: Int?) throws -> TextTable {
        try prepare(query)
        return try explained(query) {
            let sql = statement(query)
            let columns = try describeTypes(sql)
            let bound = limit.map { " LIMIT \($0)" } ?? ""
            let rows = try connection.query("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (\n\(sql)\n)\(bound)").texts()
            return TextTable(names: columns.map(\.name), types: columns.map { $0.type.lowercased() }, rows: rows)
        }
    }

    /// Runs a SELECT and returns its rows as typed columns.
    package func columns(
        _ query: Query, as kinds: [(name: String, kind: ReadKind)], orderedBy: [String]
    ) throws -> [LakeColumn] {
        try prepare(query)
        return try explained(query) {
            let list = kinds.map { name, kind in
                let type =
                    switch kind {
                    case .number: "DOUBLE"
                    case .text: "VARCHAR"
                    case .integer: "BIGINT"
                    }
                return "CAST(\(Quote.name(name)) AS \(type))"
            }
            let order =
                orderedBy.isEmpty ? "" : " ORDER BY " + orderedBy.map { Quote.name($0) }.joined(separator: ", ")
            let result = try onOneThread(areSmall(query.inputs.values.joined())) {
                try connection.query("SELECT \(list.joined(separator: ", ")) FROM (\n\(statement(query))\n)\(order)")
            }
            return try result.columns().map { column in
                switch column {
                case .doubles(let values): .number(values)
                case .integers(let values, let valid): .integer(values, valid: valid)
                case .texts(let codes, let levels): .text(codes: codes, levels: levels)
                }
            }
        }
    }

    // MARK: Shared

    /// Makes the query's tables visible under their names.
    func prepare(_ query: Query) throws {
        for (table, fields) in query.shapes.sorted(by: { $0.key < $1.key }) {
            let name = "\(table.layer.rawValue).\(Quote.name(table.name))"
            let columns = fields.map { "CAST(NULL AS \(DeltaTypes.duck($0.type))) AS \(Quote.name($0.name))" }
            try connection.execute(
                "CREATE OR REPLACE VIEW \(name) AS SELECT \(columns.joined(separator: ", ")) WHERE false")
        }
        for (table, files) in query.inputs.sorted(by: { $0.key < $1.key }) {
            let name = "\(table.layer.rawValue).\(Quote.name(table.name))"
            try reading(files) {
                let source =
                    files.isEmpty
                    ? "(SELECT 1 WHERE false)" : Quote.parquet(files)
                var view = "SELECT * FROM \(source)"
                if let since = query.since[table] {
                    let column = try fields(of: view).first { $0.name == since.column }
                    guard let column else { throw noColumn(since.column, [], query) }
                    let name = Quote.name(since.column)
                    view += " WHERE \(name) >= \(try moment(since.moment, column, query))"
                    if since.isNullable { view += " OR \(name) IS NULL" }
                }
                try connection.execute("CREATE OR REPLACE VIEW \(name) AS \(view)")
            }
        }
    }

    /// The SELECT without its closing semicolon and whatever comments follow it.
    func statement(_ query: Query) -> String { String(query.sql.prefix(upTo: SQLText.end(of: query.sql))) }

    func describeTypes(_ sql: String) throws -> [(name: String, type: String)] {
        let rows = try connection.query(
            "SELECT column_name, column_type FROM (DESCRIBE \(sql)\n)"
        ).texts()
        return rows.map { ($0[0] ?? "", $0[1] ?? "") }
    }

    func fields(of sql: String) throws -> [DeltaField] {
        try describeTypes(sql).map { DeltaField(name: $0.name, type: DeltaTypes.delta($0.type)?.type ?? $0.type) }
    }

    /// Work on less than this is done sooner, and with half the CPU time, by one thread than by several.
    private static let worthSharing: Int64 = 32 << 20

    /// Whether files are small enough for one thread. A Parquet file unpacks to several times its size.
    func areSmall(_ files: some Sequence<String>) -> Bool {
        let bytes = files.reduce(Int64(0)) { total, file in
            total + (Disk.stamp(file)?.size ?? 0) * (file.hasSuffix(".parquet") ? 6 : 1)
        }
        return bytes < Self.worthSharing
    }

    /// Runs the body on one thread, in row order, when asked to.
    func onOneThread<T>(_ single: Bool, _ body: () throws -> T) throws -> T {
        guard single else { return try body() }
        return try onThreads(1, body)
    }

    /// Runs the body with so many of DuckDB's threads, the one that asks included.
    func onThreads<T>(_ count: Int, _ body: () throws -> T) throws -> T {
        guard count < threads else { return try body() }
        try connection.execute("SET threads = \(count)")
        defer { _ = try? connection.execute("SET threads = \(threads)") }
        return try body()
    }

    private func refuseRepeatedNames(_ fields: [DeltaField], _ query: Query) throws {
        var seen: Set<String> = []
        for field in fields where !seen.insert(field.name.lowercased()).inserted {
            throw MartletError(
                .input, "transform.repeated-column", "The SELECT gives two columns the name \(field.name).",
                at: query.file.map { .init(file: $0) }, remedy: "Name one of them with AS.")
        }
    }
}
