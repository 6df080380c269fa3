internal import CDuckDB
internal import Core

/// The scalar function `_martlet_row_hash(seed, column, …)`: a hash of each row as UBIGINT, by any version of DuckDB.
///
/// It is XXH64 of the row's canonical bytes under the seed, a UBIGINT. The bytes are those of ``CanonicalCells``. Columns
/// may be BOOLEAN, TINYINT to BIGINT, FLOAT, DOUBLE, DECIMAL, VARCHAR, BLOB, DATE, TIMESTAMP and TIMESTAMP WITH TIME
/// ZONE; with a column of another type the statement fails.
///
/// ```swift
/// try RowHash.register(with: connection)
/// let texts = try connection.query("SELECT _martlet_row_hash(0::UBIGINT, a, b)::VARCHAR FROM t").texts()
/// ```
package enum RowHash {
    /// Name of the function in SQL.
    package static let name = "_martlet_row_hash"

    /// Registers the function with a connection's database; once a database.
    package static func register(with connection: Connection) throws(DuckDBError) {
        var function = duckdb_create_scalar_function()
        defer { duckdb_destroy_scalar_function(&function) }
        var any = duckdb_create_logical_type(DUCKDB_TYPE_ANY)
        defer { duckdb_destroy_logical_type(&any) }
        var hash = duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT)
        defer { duckdb_destroy_logical_type(&hash) }
        duckdb_scalar_function_set_name(function, name)
        duckdb_scalar_function_add_parameter(function, hash)
        duckdb_scalar_function_set_varargs(function, any)
        duckdb_scalar_function_set_return_type(function, hash)
        // Otherwise a row with a NULL would have the hash NULL.
        duckdb_scalar_function_set_special_handling(function)
        duckdb_scalar_function_set_function(function) { RowHash.hash($0, $1, $2) }
        guard connection.withHandle({ duckdb_register_scalar_function($0, function) }) == DuckDBSuccess else {
            throw DuckDBError("Invalid Input Error: the function \(name) cannot be registered")
        }
    }

    /// DuckDB flattens the vectors of a chunk before it calls, so cells lie one after the other.
    private static func hash(_ info: duckdb_function_info?, _ input: duckdb_data_chunk?, _ output: duckdb_vector?) {
        let rows = Int(duckdb_data_chunk_get_size(input))
        let seeds = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0))
        guard rows > 0, let seeds, let hashes = duckdb_vector_get_data(output) else { return }
        var columns: [CellColumn] = []
        for index in 1..<max(1, duckdb_data_chunk_get_column_count(input)) {
            guard let column = CellColumn(duckdb_data_chunk_get_vector(input, index)) else {
                duckdb_scalar_function_set_error(info, "Invalid Input Error: column \(index) has no canonical form")
                return
            }
            columns.append(column)
        }
        CanonicalCells.forEachRow(rows, of: columns) { row, bytes in
            let seed = seeds.load(fromByteOffset: row * 8, as: UInt64.self)
            hashes.storeBytes(of: XXHash64.hash(bytes, seed: seed), toByteOffset: row * 8, as: UInt64.self)
        }
    }
}
