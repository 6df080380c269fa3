internal import CDuckDB
internal import Synchronization

/// Declaration of an extra text column beside the cells.
package struct TextColumn: Sendable {
    /// Name of the column in SQL.
    package let name: String
    /// Whether its type is BLOB instead of VARCHAR.
    package let isBinary: Bool

    package init(_ name: String, isBinary: Bool = false) {
        self.name = name
        self.isBinary = isBinary
    }
}

/// Source of text rows that are produced while DuckDB reads the table function `_martlet_texts('name')`.
///
/// The function has the columns `c0`, `c1`, … (VARCHAR), the extra ones, `f` and `n` (BIGINT), and `pad` (BOOLEAN).
package protocol TextRows: AnyObject {
    /// How many columns of cells there are.
    var cells: Int { get }
    /// The columns behind them.
    var extra: [TextColumn] { get }

    /// Puts the next rows into the block and answers how many; 0 when none are left. Called by one thread at a time.
    func fill(_ block: TextBlock) -> Int
}

/// Column buffers that a ``TextRows`` fills with its next rows.
package final class TextBlock {
    /// Largest number of rows that fit.
    package let capacity = Int(duckdb_vector_size())
    private let width: Int
    /// For each column of texts where its cells go; `nil` where nobody asked for it.
    private let cells: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private let vectors: UnsafeMutablePointer<duckdb_vector?>
    private let validity: UnsafeMutablePointer<UnsafeMutablePointer<UInt64>?>
    private var places: UnsafeMutablePointer<Int64>?
    private var numbers: UnsafeMutablePointer<Int64>?
    private var pads: UnsafeMutablePointer<Bool>?

    fileprivate init(_ width: Int) {
        self.width = width
        cells = .allocate(capacity: max(1, width))
        vectors = .allocate(capacity: max(1, width))
        validity = .allocate(capacity: max(1, width))
        cells.initialize(repeating: nil, count: max(1, width))
        vectors.initialize(repeating: nil, count: max(1, width))
        validity.initialize(repeating: nil, count: max(1, width))
    }

    deinit {
        cells.deallocate()
        vectors.deallocate()
        validity.deallocate()
    }

    /// - Parameter columns: which of the table's columns are wanted, in the chunk's order.
    fileprivate func open(_ chunk: duckdb_data_chunk?, _ columns: [Int]) {
        for (place, column) in columns.enumerated() {
            let vector = duckdb_data_chunk_get_vector(chunk, idx_t(place))
            let data = duckdb_vector_get_data(vector)
            if column >= 0, column < width {
                cells[column] = data
                vectors[column] = vector
                validity[column] = nil
            } else if column == width {
                places = data?.assumingMemoryBound(to: Int64.self)
            } else if column == width + 1 {
                numbers = data?.assumingMemoryBound(to: Int64.self)
            } else if column == width + 2 {
                pads = data?.assumingMemoryBound(to: Bool.self)
            }
        }
    }

    /// Sets a cell to a text without copying it; an empty one is NULL.
    ///
    /// The bytes must be UTF-8, must stay where they are until the statement has run, and 12 bytes must be readable
    /// from `text` on, however short the text is.
    @inline(__always)
    package func put(_ text: UnsafePointer<UInt8>, _ length: Int, column: Int, row: Int) {
        guard let data = cells[column] else { return }
        if length == 0 { return setNull(column, row) }
        let cell = data + row * 16
        cell.storeBytes(of: UInt32(truncatingIfNeeded: length), as: UInt32.self)
        let source = UnsafeRawPointer(text)
        if length > 12 {
            (cell + 4).storeBytes(of: source.loadUnaligned(as: UInt32.self), as: UInt32.self)
            (cell + 8).storeBytes(of: UInt64(UInt(bitPattern: source)), as: UInt64.self)
        } else {
            // Short texts stand in the cell itself, zeros behind them.
            let low = source.loadUnaligned(as: UInt64.self) & Self.mask(length)
            let high = (source + 8).loadUnaligned(as: UInt32.self) & UInt32(truncatingIfNeeded: Self.mask(length - 8))
            (cell + 4).storeBytes(of: UInt32(truncatingIfNeeded: low), as: UInt32.self)
            (cell + 8).storeBytes(of: UInt32(truncatingIfNeeded: low >> 32), as: UInt32.self)
            (cell + 12).storeBytes(of: high, as: UInt32.self)
        }
    }

    /// Sets a cell to the text in a buffer behind which 12 more bytes can be read, without copying it.
    package func put(_ text: UnsafeRawBufferPointer, column: Int, row: Int) {
        guard let base = text.baseAddress else { return putNull(column: column, row: row) }
        put(base.assumingMemoryBound(to: UInt8.self), text.count, column: column, row: row)
    }

    /// Sets a cell to the empty text.
    package func putEmpty(column: Int, row: Int) {
        guard let data = cells[column] else { return }
        (data + row * 16).initializeMemory(as: UInt8.self, repeating: 0, count: 16)
    }

    /// Sets a cell to NULL.
    package func putNull(column: Int, row: Int) {
        if cells[column] != nil { setNull(column, row) }
    }

    /// Ones for so many bytes, from the lowest.
    @inline(__always)
    private static func mask(_ bytes: Int) -> UInt64 {
        bytes <= 0 ? 0 : bytes >= 8 ? .max : (1 << UInt64(bytes * 8)) &- 1
    }

    private func setNull(_ column: Int, _ row: Int) {
        if validity[column] == nil {
            duckdb_vector_ensure_validity_writable(vectors[column])
            validity[column] = duckdb_vector_get_validity(vectors[column])
        }
        validity[column]?[row / 64] &= ~(1 << UInt64(row % 64))
    }

    /// Sets the columns `f`, `n` and `pad` of a row.
    @inline(__always)
    package func put(place: Int64, number: Int64, isPadded: Bool, row: Int) {
        places?[row] = place
        numbers?[row] = number
        pads?[row] = isPadded
    }
}

/// Registry of the ``TextRows`` that the sessions of a database can read by name from SQL.
///
/// ```swift
/// try TextTables.register(with: connection).with(rows, as: "answer") {
///     try connection.execute("CREATE TABLE answer AS SELECT * FROM _martlet_texts('answer')")
/// }
/// ```
package final class TextTables: Sendable {
    private let tables = Mutex<[String: Entry]>([:])

    /// Why `@unchecked Sendable` holds: one session puts the rows here and reads them, and no other asks for its name.
    private struct Entry: @unchecked Sendable { let rows: any TextRows }

    private final class Scan {
        let rows: any TextRows
        let columns: [Int]
        let block: TextBlock

        init(_ rows: any TextRows, _ columns: [Int]) {
            self.rows = rows
            self.columns = columns
            block = TextBlock(rows.cells + rows.extra.count)
        }
    }

    private final class Bound {
        let rows: any TextRows
        init(_ rows: any TextRows) { self.rows = rows }
    }

    private init() {}

    /// Registers the table function `_martlet_texts` with a connection's database; once a database.
    package static func register(with connection: Connection) throws(DuckDBError) -> TextTables {
        let tables = TextTables()
        try TableFunction.register(
            "_martlet_texts", of: tables, with: connection, prunesColumns: true, bind: { TextTables.bind($0) },
            begin: { TextTables.begin($0) }, give: { TextTables.give($0, $1) })
        return tables
    }

    /// Runs the body while SQL can read `rows` under the name, once.
    package func with<T>(_ rows: any TextRows, as name: String, _ body: () throws -> T) rethrows -> T {
        tables.withLock { $0[name] = Entry(rows: rows) }
        defer { _ = tables.withLock { $0.removeValue(forKey: name) } }
        return try body()
    }

    private static func bind(_ info: duckdb_bind_info?) {
        guard
            let entry = TableFunction.find(
                info, in: TextTables.self, { owner, name in owner.tables.withLock { $0[name] } })
        else { return }
        var varchar = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR)
        defer { duckdb_destroy_logical_type(&varchar) }
        var bigint = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT)
        defer { duckdb_destroy_logical_type(&bigint) }
        var blob = duckdb_create_logical_type(DUCKDB_TYPE_BLOB)
        defer { duckdb_destroy_logical_type(&blob) }
        for column in 0..<entry.rows.cells { duckdb_bind_add_result_column(info, "c\(column)", varchar) }
        for column in entry.rows.extra {
            duckdb_bind_add_result_column(info, column.name, column.isBinary ? blob : varchar)
        }
        duckdb_bind_add_result_column(info, "f", bigint)
        duckdb_bind_add_result_column(info, "n", bigint)
        var flag = duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN)
        defer { duckdb_destroy_logical_type(&flag) }
        duckdb_bind_add_result_column(info, "pad", flag)
        TableFunction.keep(Bound(entry.rows), for: info)
    }

    private static func begin(_ info: duckdb_init_info?) {
        guard let pointer = duckdb_init_get_bind_data(info) else { return }
        let bound = Unmanaged<Bound>.fromOpaque(pointer).takeUnretainedValue()
        TableFunction.keep(Scan(bound.rows, TableFunction.columns(info)), for: info)
    }

    private static func give(_ info: duckdb_function_info?, _ output: duckdb_data_chunk?) {
        guard let pointer = duckdb_function_get_init_data(info) else { return }
        let scan = Unmanaged<Scan>.fromOpaque(pointer).takeUnretainedValue()
        scan.block.open(output, scan.columns)
        duckdb_data_chunk_set_size(output, idx_t(scan.rows.fill(scan.block)))
    }
}
