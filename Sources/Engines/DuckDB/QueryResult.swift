internal import CDuckDB
internal import Core

/// The rows of one query, read by data chunk as typed columns or as text.
package final class QueryResult {
    private var raw: duckdb_result

    init(_ raw: duckdb_result) { self.raw = raw }
    deinit { duckdb_destroy_result(&raw) }

    /// Number of rows that the statement changed.
    package var changed: UInt64 { duckdb_rows_changed(&raw) }
    /// Number of columns of the result.
    package var columnCount: Int { Int(duckdb_column_count(&raw)) }

    /// Column names in the order of the result.
    package var columnNames: [String] {
        (0..<columnCount).map { String(cString: duckdb_column_name(&raw, idx_t($0))) }
    }

    /// Returns the remaining rows in DuckDB's own form, so that SQL can read them again.
    package func kept() -> RetainedRows { RetainedRows(self) }

    func logicalTypes() -> [duckdb_logical_type?] {
        (0..<columnCount).map { duckdb_column_logical_type(&raw, idx_t($0)) }
    }

    /// The rest of the rows; whoever takes them destroys them.
    func chunks() -> [duckdb_data_chunk?] {
        var chunks: [duckdb_data_chunk?] = []
        while true {
            var chunk = duckdb_fetch_chunk(raw)
            guard chunk != nil else { return chunks }
            guard duckdb_data_chunk_get_size(chunk) > 0 else {
                duckdb_destroy_data_chunk(&chunk)
                return chunks
            }
            chunks.append(chunk)
        }
    }

    /// Reads the remaining rows, column by column. Each column must be DOUBLE, BIGINT or VARCHAR: cast in the SQL.
    /// - Throws: when a column has another type.
    package func columns() throws(DuckDBError) -> [ResultColumn] {
        var builders: [ColumnBuilder] = []
        for index in 0..<columnCount {
            switch duckdb_column_type(&raw, idx_t(index)) {
            case DUCKDB_TYPE_DOUBLE: builders.append(.doubles([]))
            case DUCKDB_TYPE_BIGINT: builders.append(.integers([], valid: []))
            case DUCKDB_TYPE_VARCHAR: builders.append(.texts(TextInterner()))
            default:
                throw DuckDBError("Invalid Input Error: column \(columnNames[index]) is not DOUBLE, BIGINT or VARCHAR")
            }
        }
        while true {
            var chunk = duckdb_fetch_chunk(raw)
            guard chunk != nil else { break }
            defer { duckdb_destroy_data_chunk(&chunk) }
            let count = Int(duckdb_data_chunk_get_size(chunk))
            if count == 0 { break }
            for index in builders.indices {
                let vector = duckdb_data_chunk_get_vector(chunk, idx_t(index))
                guard let data = duckdb_vector_get_data(vector) else { continue }
                builders[index].append(data, duckdb_vector_get_validity(vector), count)
            }
        }
        return builders.map(\.finished)
    }

    /// Reads the remaining rows, whose columns must all be BIGINT without NULL, and converts each with `make`.
    package func integers<T>(_ make: ([Int64]) -> T) throws(DuckDBError) -> [T] {
        var columns: [[Int64]] = []
        for column in try self.columns() {
            guard case .integers(let values, _) = column else {
                throw DuckDBError("Invalid Input Error: a column is not BIGINT")
            }
            columns.append(values)
        }
        var rows: [T] = []
        for row in 0..<(columns.first?.count ?? 0) { rows.append(make(columns.map { $0[row] })) }
        return rows
    }

    /// Reads the remaining rows as text, row by row; every column must be VARCHAR: cast in the SQL.
    package func texts() throws(DuckDBError) -> [[String?]] {
        let columns = try columns()
        var rows: [[String?]] = []
        for row in 0..<(columns.first?.count ?? 0) { rows.append(columns.map { $0.text(row) }) }
        return rows
    }
}

/// One typed column of a result: numbers, integers or texts.
package enum ResultColumn: Sendable {
    /// NaN stands for NULL.
    case doubles([Double])
    case integers([Int64], valid: [Bool])
    /// Each distinct text once; -1 stands for NULL.
    case texts(codes: [Int32], levels: [String])

    /// Number of rows, those with NULL included.
    package var count: Int {
        switch self {
        case .doubles(let values): values.count
        case .integers(let values, _): values.count
        case .texts(let codes, _): codes.count
        }
    }

    /// The value of a row as text; `nil` for NULL.
    package func text(_ row: Int) -> String? {
        switch self {
        case .doubles(let values): values[row].isNaN ? nil : "\(values[row])"
        case .integers(let values, let valid): valid[row] ? "\(values[row])" : nil
        case .texts(let codes, let levels): codes[row] < 0 ? nil : levels[Int(codes[row])]
        }
    }
}

private enum ColumnBuilder {
    case doubles([Double])
    case integers([Int64], valid: [Bool])
    case texts(TextInterner)

    mutating func append(_ data: UnsafeMutableRawPointer, _ validity: UnsafeMutablePointer<UInt64>?, _ count: Int) {
        func isValid(_ i: Int) -> Bool { validity.map { $0[i >> 6] & (1 << UInt64(i & 63)) != 0 } ?? true }
        switch self {
        case .doubles(var values):
            self = .doubles([])
            let source = data.assumingMemoryBound(to: Double.self)
            if validity == nil {
                values.append(contentsOf: UnsafeBufferPointer(start: source, count: count))
            } else {
                for i in 0..<count { values.append(isValid(i) ? source[i] : .nan) }
            }
            self = .doubles(values)
        case .integers(var values, var valid):
            self = .doubles([])
            let source = data.assumingMemoryBound(to: Int64.self)
            for i in 0..<count {
                values.append(isValid(i) ? source[i] : 0)
                valid.append(isValid(i))
            }
            self = .integers(values, valid: valid)
        case .texts(let interner):
            for i in 0..<count {
                if isValid(i) { interner.append(data.advanced(by: i * 16)) } else { interner.codes.append(-1) }
            }
        }
    }

    var finished: ResultColumn {
        switch self {
        case .doubles(let values): .doubles(values)
        case .integers(let values, let valid): .integers(values, valid: valid)
        case .texts(let interner): .texts(codes: interner.codes, levels: interner.levels)
        }
    }
}

/// Numbers the distinct texts of a column, in order of first appearance.
///
/// A DuckDB string takes 16 bytes: four of length, then up to twelve of text padded with zeros, or four of
/// prefix and a pointer. Short texts are therefore known by their two words alone.
private final class TextInterner {
    private struct Slot {
        var low: UInt64
        var high: UInt64
        var code: Int32
    }

    var codes: [Int32] = []
    private(set) var levels: [String] = []
    private var slots = [Slot](repeating: Slot(low: 0, high: 0, code: -1), count: 64)
    private var long: [ByteText: Int32] = [:]

    func append(_ cell: UnsafeMutableRawPointer) {
        let length = Int(cell.load(as: UInt32.self))
        if length > 12 {
            let pointer = cell.load(fromByteOffset: 8, as: UnsafeRawPointer.self)
            let text = ByteText(
                String(decoding: UnsafeRawBufferPointer(start: pointer, count: length), as: UTF8.self))
            if let code = long[text] {
                codes.append(code)
            } else {
                long[text] = newLevel(text.text)
                codes.append(Int32(levels.count - 1))
            }
            return
        }
        let low = cell.load(as: UInt64.self)
        let high = cell.load(fromByteOffset: 8, as: UInt64.self)
        var index = place(low, high)
        while slots[index].code >= 0 {
            if slots[index].low == low, slots[index].high == high {
                codes.append(slots[index].code)
                return
            }
            index = (index + 1) & (slots.count - 1)
        }
        let text = String(decoding: UnsafeRawBufferPointer(start: cell.advanced(by: 4), count: length), as: UTF8.self)
        let code = newLevel(text)
        slots[index] = Slot(low: low, high: high, code: code)
        codes.append(code)
        if levels.count * 2 > slots.count { grow() }
    }

    private func newLevel(_ text: String) -> Int32 {
        levels.append(text)
        return Int32(levels.count - 1)
    }

    private func place(_ low: UInt64, _ high: UInt64) -> Int {
        var mixed = (low ^ (high &* 0x9E37_79B9_7F4A_7C15)) &* 0xBF58_476D_1CE4_E5B9
        mixed ^= mixed >> 29
        return Int(truncatingIfNeeded: mixed &* 0x94D0_49BB_1331_11EB >> 32) & (slots.count - 1)
    }

    private func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(low: 0, high: 0, code: -1), count: old.count * 4)
        for slot in old where slot.code >= 0 {
            var index = place(slot.low, slot.high)
            while slots[index].code >= 0 { index = (index + 1) & (slots.count - 1) }
            slots[index] = slot
        }
    }
}
