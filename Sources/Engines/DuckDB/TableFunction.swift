internal import CDuckDB

/// Shared implementation of our DuckDB table functions, which take the name of an object to read.
enum TableFunction {
    /// Makes a function known to a connection's database, which keeps the owner as long as it has the function.
    /// - Parameter prunesColumns: whether `begin` looks at which columns are wanted.
    static func register(
        _ name: String, of owner: AnyObject, with connection: Connection, prunesColumns: Bool,
        bind: @convention(c) (duckdb_bind_info?) -> Void, begin: @convention(c) (duckdb_init_info?) -> Void,
        give: @convention(c) (duckdb_function_info?, duckdb_data_chunk?) -> Void
    ) throws(DuckDBError) {
        var function = duckdb_create_table_function()
        defer { duckdb_destroy_table_function(&function) }
        var text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR)
        defer { duckdb_destroy_logical_type(&text) }
        duckdb_table_function_set_name(function, name)
        duckdb_table_function_add_parameter(function, text)
        duckdb_table_function_set_extra_info(function, Unmanaged.passRetained(owner).toOpaque(), release)
        duckdb_table_function_supports_projection_pushdown(function, prunesColumns)
        duckdb_table_function_set_bind(function, bind)
        duckdb_table_function_set_init(function, begin)
        duckdb_table_function_set_function(function, give)
        guard connection.withHandle({ duckdb_register_table_function($0, function) }) == DuckDBSuccess else {
            throw DuckDBError("Invalid Input Error: the function \(name) cannot be registered")
        }
    }

    /// What the owner has under the name that a call gives; where it has nothing, the statement fails.
    static func find<Owner: AnyObject, Found>(
        _ info: duckdb_bind_info?, in _: Owner.Type, _ look: (Owner, String) -> Found?
    ) -> Found? {
        guard let pointer = duckdb_bind_get_extra_info(info) else { return nil }
        let owner = Unmanaged<Owner>.fromOpaque(pointer).takeUnretainedValue()
        var value = duckdb_bind_get_parameter(info, 0)
        defer { duckdb_destroy_value(&value) }
        let text = duckdb_get_varchar(value)
        defer { duckdb_free(text) }
        guard let text, let found = look(owner, String(cString: text)) else {
            duckdb_bind_set_error(info, "there are no rows under this name")
            return nil
        }
        return found
    }

    /// Keeps an object for all of a statement.
    static func keep(_ object: AnyObject, for info: duckdb_bind_info?) {
        duckdb_bind_set_bind_data(info, Unmanaged.passRetained(object).toOpaque(), release)
    }

    /// Keeps an object for one scan, on one thread.
    static func keep(_ object: AnyObject, for info: duckdb_init_info?) {
        duckdb_init_set_max_threads(info, 1)
        duckdb_init_set_init_data(info, Unmanaged.passRetained(object).toOpaque(), release)
    }

    /// Which of the table's columns a scan wants, in the order of its chunks.
    static func columns(_ info: duckdb_init_info?) -> [Int] {
        (0..<duckdb_init_get_column_count(info)).map {
            Int(truncatingIfNeeded: duckdb_init_get_column_index(info, $0))
        }
    }

    private static let release: @convention(c) (UnsafeMutableRawPointer?) -> Void = {
        if let pointer = $0 { Unmanaged<AnyObject>.fromOpaque(pointer).release() }
    }
}
