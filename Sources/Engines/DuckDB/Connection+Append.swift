internal import CDuckDB

extension Connection {
    /// Appends columns of equal length to a temporary table with matching types, chunk by chunk.
    package func append(_ columns: [ResultColumn], to table: String) throws(DuckDBError) {
        var appender: duckdb_appender?
        guard withHandle({ duckdb_appender_create($0, nil, table, &appender) }) == DuckDBSuccess else {
            duckdb_appender_destroy(&appender)
            throw DuckDBError("Invalid Input Error: no table \(table) to append to")
        }
        defer { duckdb_appender_destroy(&appender) }
        var types = columns.map { $0.logicalType() }
        defer { for index in types.indices { duckdb_destroy_logical_type(&types[index]) } }
        var chunk = duckdb_create_data_chunk(&types, idx_t(types.count))
        defer { duckdb_destroy_data_chunk(&chunk) }
        let total = columns.first?.count ?? 0
        let capacity = Int(duckdb_vector_size())
        var start = 0
        while start < total {
            let count = min(capacity, total - start)
            duckdb_data_chunk_reset(chunk)
            for (index, column) in columns.enumerated() {
                column.fill(duckdb_data_chunk_get_vector(chunk, idx_t(index)), from: start..<(start + count))
            }
            duckdb_data_chunk_set_size(chunk, idx_t(count))
            guard duckdb_append_data_chunk(appender, chunk) == DuckDBSuccess else { throw appendError(appender) }
            start += count
        }
        guard duckdb_appender_flush(appender) == DuckDBSuccess else { throw appendError(appender) }
    }

    private func appendError(_ appender: duckdb_appender?) -> DuckDBError {
        DuckDBError(duckdb_appender_error(appender).map { String(cString: $0) } ?? "append failed")
    }
}

extension ResultColumn {
    /// A type for columns of this kind; the caller destroys it.
    func logicalType() -> duckdb_logical_type? {
        switch self {
        case .doubles: duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE)
        case .integers: duckdb_create_logical_type(DUCKDB_TYPE_BIGINT)
        case .texts: duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR)
        }
    }

    /// Copies rows to the beginning of a vector of that type.
    func fill(_ vector: duckdb_vector?, from range: Range<Int>) {
        guard let data = duckdb_vector_get_data(vector) else { return }
        duckdb_vector_ensure_validity_writable(vector)
        let validity = duckdb_vector_get_validity(vector)
        func setNull(_ row: Int) { duckdb_validity_set_row_invalid(validity, idx_t(row)) }
        switch self {
        case .doubles(let values):
            let target = data.assumingMemoryBound(to: Double.self)
            for (row, index) in range.enumerated() {
                target[row] = values[index]
                if values[index].isNaN { setNull(row) }
            }
        case .integers(let values, let valid):
            let target = data.assumingMemoryBound(to: Int64.self)
            for (row, index) in range.enumerated() {
                target[row] = values[index]
                if !valid[index] { setNull(row) }
            }
        case .texts(let codes, let levels):
            for (row, index) in range.enumerated() {
                if codes[index] < 0 {
                    setNull(row)
                } else {
                    let text = levels[Int(codes[index])]
                    duckdb_vector_assign_string_element_len(vector, idx_t(row), text, idx_t(text.utf8.count))
                }
            }
        }
    }
}
