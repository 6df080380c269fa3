internal import CDuckDB

/// The rows of a query, or rows of texts, kept in DuckDB's own form, so that SQL can read them again without a copy:
/// see ``HandedRows``. Not Sendable: belongs to the thread of its database.
package final class KeptRows {
    package let names: [String]
    package let count: Int
    let types: [duckdb_logical_type?]
    let chunks: [duckdb_data_chunk?]
    /// Long texts lie in the result's memory.
    private let result: QueryResult?

    init(_ result: QueryResult) {
        self.result = result
        names = result.columnNames
        types = result.logicalTypes()
        chunks = result.chunks()
        count = chunks.reduce(0) { $0 + Int(duckdb_data_chunk_get_size($1)) }
    }

    /// Rows of texts, `nil` for null, under these names, then their numbers from 0 on as `n`.
    package init(texts names: [String], _ rows: [[String?]]) {
        result = nil
        self.names = names + ["n"]
        count = rows.count
        var types = names.map { _ in duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR) }
        types.append(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT))
        self.types = types
        let capacity = Int(duckdb_vector_size())
        chunks = stride(from: 0, to: rows.count, by: capacity).map { start in
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
        for chunk in chunks {
            var chunk = chunk
            duckdb_destroy_data_chunk(&chunk)
        }
        for type in types {
            var type = type
            duckdb_destroy_logical_type(&type)
        }
    }

    /// The values of a column that is BIGINT without NULL.
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
