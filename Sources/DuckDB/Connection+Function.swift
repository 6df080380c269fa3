internal import CDuckDB

/// A function of two whole numbers that SQL can call; called with whole columns, from several threads at once.
package protocol IntegerFunction: AnyObject, Sendable {
    /// Fills `result` with the function's value for each of `count` pairs.
    func apply(
        _ first: UnsafePointer<Int64>, _ second: UnsafePointer<Int64>, _ result: UnsafeMutablePointer<Int64>,
        count: Int)
}

extension Connection {
    /// Makes `name(BIGINT, BIGINT) → BIGINT` known in SQL, for as long as the database lives. NULL gives NULL.
    package func register(_ name: String, _ function: any IntegerFunction) throws(DuckDBError) {
        var description = duckdb_create_scalar_function()
        defer { duckdb_destroy_scalar_function(&description) }
        var bigint = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT)
        defer { duckdb_destroy_logical_type(&bigint) }
        duckdb_scalar_function_set_name(description, name)
        duckdb_scalar_function_add_parameter(description, bigint)
        duckdb_scalar_function_add_parameter(description, bigint)
        duckdb_scalar_function_set_return_type(description, bigint)
        // What it gives depends on the batch at work, so that no plan may remember it.
        duckdb_scalar_function_set_volatile(description)
        duckdb_scalar_function_set_extra_info(
            description, Unmanaged.passRetained(FunctionBox(function)).toOpaque(),
            { pointer in if let pointer { Unmanaged<FunctionBox>.fromOpaque(pointer).release() } })
        duckdb_scalar_function_set_function(description) { info, input, output in
            guard let pointer = duckdb_scalar_function_get_extra_info(info),
                let first = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0)),
                let second = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1)),
                let result = duckdb_vector_get_data(output)
            else { return }
            let box = Unmanaged<FunctionBox>.fromOpaque(pointer).takeUnretainedValue()
            box.function.apply(
                first.assumingMemoryBound(to: Int64.self), second.assumingMemoryBound(to: Int64.self),
                result.assumingMemoryBound(to: Int64.self), count: Int(duckdb_data_chunk_get_size(input)))
        }
        guard withHandle({ duckdb_register_scalar_function($0, description) }) == DuckDBSuccess else {
            throw DuckDBError("Invalid Input Error: the function \(name) cannot be registered")
        }
    }
}

private final class FunctionBox: Sendable {
    let function: any IntegerFunction
    init(_ function: any IntegerFunction) { self.function = function }
}
