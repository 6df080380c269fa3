internal import CDuckDB

/// Rows kept in DuckDB's own chunk format, which SQL can read again without a copy through ``TableFunctionRows``.
///
/// They come from a query, or from texts. Not Sendable: belongs to the thread of its database.
///
/// ```swift
/// let rows = try connection.query("SELECT id, weight FROM t").kept()
/// rows.isNull(1, 0)
/// ```
package final class RetainedRows {
    /// Column names.
    package let names: [String]
    /// Number of rows.
    package let count: Int
    let types: [duckdb_logical_type?]
    let chunks: [duckdb_data_chunk?]
    /// The number of each chunk's first row.
    let starts: [Int]
    /// Whose memory it is: long texts lie in the result's, and a store owns its chunks.
    private let owner: AnyObject?
    private let ownsChunks: Bool
    /// Whose the types are, if not its own.
    private let model: RetainedRows?

    init(_ result: QueryResult) {
        owner = result
        ownsChunks = true
        model = nil
        names = result.columnNames
        types = result.logicalTypes()
        chunks = result.chunks()
        (starts, count) = Self.starts(chunks)
    }

    /// A store's rows.
    init(sharing store: RowStore, like rows: RetainedRows, columns: Int, chunks: [duckdb_data_chunk?]) {
        owner = store
        ownsChunks = false
        model = rows
        names = Array(rows.names.prefix(columns))
        types = Array(rows.types.prefix(columns))
        self.chunks = chunks
        (starts, count) = Self.starts(chunks)
    }

    private static func starts(_ chunks: [duckdb_data_chunk?]) -> ([Int], Int) {
        var count = 0
        var starts: [Int] = []
        for chunk in chunks {
            starts.append(count)
            count += Int(duckdb_data_chunk_get_size(chunk))
        }
        return (starts, count)
    }

    /// Rows of texts, `nil` for null, under these column names, with the row numbers from 0 on as a last column `n`.
    package init(texts names: [String], _ rows: [[String?]]) {
        owner = nil
        ownsChunks = true
        model = nil
        self.names = names + ["n"]
        count = rows.count
        var types = names.map { _ in duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR) }
        types.append(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT))
        self.types = types
        let capacity = Int(duckdb_vector_size())
        starts = Array(stride(from: 0, to: rows.count, by: capacity))
        chunks = starts.map { start in
            let part = rows[start..<min(start + capacity, rows.count)]
            let chunk = duckdb_create_data_chunk(&types, duckdb_idx(types.count))
            for column in names.indices {
                let vector = duckdb_data_chunk_get_vector(chunk, duckdb_idx(column))
                duckdb_vector_ensure_validity_writable(vector)
                for (place, row) in part.enumerated() {
                    if let text = row[column] {
                        duckdb_vector_assign_string_element_len(
                            vector, duckdb_idx(place), text, duckdb_idx(text.utf8.count))
                    } else {
                        duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), duckdb_idx(place))
                    }
                }
            }
            let last = duckdb_data_chunk_get_vector(chunk, duckdb_idx(names.count))
            if let numbers = duckdb_vector_get_data(last)?.assumingMemoryBound(to: Int64.self) {
                for place in part.indices { numbers[place - start] = Int64(place) }
            }
            duckdb_data_chunk_set_size(chunk, duckdb_idx(part.count))
            return chunk
        }
    }

    deinit {
        if ownsChunks {
            for chunk in chunks {
                var chunk = chunk
                duckdb_destroy_data_chunk(&chunk)
            }
        }
        for type in types where model == nil {
            var type = type
            duckdb_destroy_logical_type(&type)
        }
    }

    /// Whether a cell is NULL.
    package func isNull(_ column: Int, _ row: Int) -> Bool {
        guard let chunk = starts.lastIndex(where: { $0 <= row }) else { return true }
        let vector = duckdb_data_chunk_get_vector(chunks[chunk], duckdb_idx(column))
        guard let validity = duckdb_vector_get_validity(vector) else { return false }
        return !duckdb_validity_row_is_valid(validity, duckdb_idx(row - starts[chunk]))
    }

    /// Returns the values of a VARCHAR column.
    package func texts(_ column: Int) -> [String?] {
        chunks.flatMap { chunk -> [String?] in
            let vector = duckdb_data_chunk_get_vector(chunk, duckdb_idx(column))
            guard let data = duckdb_vector_get_data(vector) else { return [] }
            let validity = duckdb_vector_get_validity(vector)
            return (0..<Int(duckdb_data_chunk_get_size(chunk))).map { row in
                if let validity, !duckdb_validity_row_is_valid(validity, duckdb_idx(row)) { return nil }
                let cell = data.advanced(by: row * 16)
                let length = Int(cell.load(as: UInt32.self))
                let bytes =
                    length > 12
                    ? cell.load(fromByteOffset: 8, as: UnsafeRawPointer.self) : UnsafeRawPointer(cell.advanced(by: 4))
                return String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
            }
        }
    }

    /// Returns the values of a BIGINT column without NULL.
    package func integers(_ column: Int) -> [Int64] {
        chunks.flatMap { chunk -> [Int64] in
            let vector = duckdb_data_chunk_get_vector(chunk, duckdb_idx(column))
            guard let data = duckdb_vector_get_data(vector) else { return [] }
            return Array(
                UnsafeBufferPointer(
                    start: data.assumingMemoryBound(to: Int64.self), count: Int(duckdb_data_chunk_get_size(chunk))))
        }
    }
}

/// DuckDB's index type from ours.
func duckdb_idx(_ value: Int) -> idx_t { idx_t(value) }
