internal import CDuckDB

/// Growing collection of rows in DuckDB's own vectors: rows are appended and cells copied by number, without SQL.
///
/// Not Sendable: belongs to the thread of its database.
///
/// ```swift
/// let store = RowStore(like: rows, columns: 2)
/// store.append(rows, [0, 5])
/// tables.put(store.rows(), as: "chosen")
/// ```
package final class RowStore {
    private let like: RetainedRows
    private let columns: Int
    private let capacity = Int(duckdb_vector_size())
    private var chunks: [duckdb_data_chunk?] = []
    private let selection: duckdb_selection_vector?
    /// Number of rows.
    package private(set) var count = 0

    /// An empty store whose columns have the types of the first `columns` columns of `rows`.
    package init(like rows: RetainedRows, columns: Int) {
        like = rows
        self.columns = columns
        selection = duckdb_create_selection_vector(duckdb_vector_size())
    }

    deinit {
        duckdb_destroy_selection_vector(selection)
        for chunk in chunks {
            var chunk = chunk
            duckdb_destroy_data_chunk(&chunk)
        }
    }

    /// Copies rows, given by their numbers, to the end of the store.
    package func append(_ rows: RetainedRows, _ places: some Sequence<Int>) {
        append(places, of: rows.chunks, starts: rows.starts)
    }

    /// Copies rows of another store, given by their numbers, to the end of the store.
    package func append(_ store: RowStore, _ places: some Sequence<Int>) {
        append(places, of: store.chunks, starts: nil)
    }

    /// - Parameter starts: the number of each chunk's first row; `nil` for chunks that are full.
    private func append(_ places: some Sequence<Int>, of source: [duckdb_data_chunk?], starts: [Int]?) {
        guard let picked = duckdb_selection_vector_get_data_ptr(selection) else { return }
        var from = -1
        var pending = 0
        func flush() {
            guard pending > 0, from >= 0 else { return }
            copy(source[from], pending)
            pending = 0
        }
        for place in places {
            let chunk = starts.map { Self.chunk(of: place, $0) } ?? place / capacity
            if chunk != from || count % capacity + pending == capacity {
                flush()
                from = chunk
            }
            picked[pending] = sel_t(place - (starts?[chunk] ?? chunk * capacity))
            pending += 1
        }
        flush()
    }

    private static func chunk(of place: Int, _ starts: [Int]) -> Int {
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= place { low = middle } else { high = middle }
        }
        return low
    }

    /// Copies the selected rows of a chunk behind the last row; they fit into one chunk.
    private func copy(_ source: duckdb_data_chunk?, _ number: Int) {
        if count % capacity == 0 {
            var types = Array(like.types.prefix(columns))
            chunks.append(duckdb_create_data_chunk(&types, idx_t(columns)))
        }
        let target = chunks[count / capacity]
        for column in 0..<columns {
            duckdb_vector_copy_sel(
                duckdb_data_chunk_get_vector(source, idx_t(column)),
                duckdb_data_chunk_get_vector(target, idx_t(column)), selection, idx_t(number), 0,
                idx_t(count % capacity))
        }
        count += number
        duckdb_data_chunk_set_size(target, idx_t((count - 1) % capacity + 1))
    }

    /// Whether a cell is NULL.
    package func isNull(_ column: Int, _ place: Int) -> Bool {
        let vector = duckdb_data_chunk_get_vector(chunks[place / capacity], idx_t(column))
        guard let validity = duckdb_vector_get_validity(vector) else { return false }
        return !duckdb_validity_row_is_valid(validity, idx_t(place % capacity))
    }

    /// Sets a cell to NULL.
    package func setNull(_ column: Int, _ place: Int) {
        let vector = duckdb_data_chunk_get_vector(chunks[place / capacity], idx_t(column))
        duckdb_vector_ensure_validity_writable(vector)
        duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), idx_t(place % capacity))
    }

    /// Copies a cell of another row into a cell.
    package func set(_ column: Int, _ place: Int, to rows: RetainedRows, _ row: Int) {
        let chunk = Self.chunk(of: row, rows.starts)
        let vector = duckdb_data_chunk_get_vector(chunks[place / capacity], idx_t(column))
        duckdb_selection_vector_get_data_ptr(selection)?[0] = sel_t(row - rows.starts[chunk])
        // A copy sets what is missing, and not what is there.
        if let validity = duckdb_vector_get_validity(vector) {
            duckdb_validity_set_row_valid(validity, idx_t(place % capacity))
        }
        duckdb_vector_copy_sel(
            duckdb_data_chunk_get_vector(rows.chunks[chunk], idx_t(column)), vector, selection, 1, 0,
            idx_t(place % capacity))
    }

    /// Returns the rows without a copy; the store must not be changed while they are in use.
    package func rows() -> RetainedRows { RetainedRows(sharing: self, like: like, columns: columns, chunks: chunks) }
}
