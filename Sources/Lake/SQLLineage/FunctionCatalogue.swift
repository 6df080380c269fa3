/// Which SQL functions are aggregates or volatile, from the engine's own catalogue (`duckdb_functions()`).
///
/// So functions of a newer engine are known too.
///
/// ```swift
/// let functions = FunctionCatalogue(aggregates: ["sum", "first"], unrepeatable: ["random"])
/// ```
package struct FunctionCatalogue: Sendable {
    /// Functions that compute one value from many rows.
    package let aggregates: Set<String>
    /// Volatile functions, whose value differs by time or place.
    package let unrepeatable: Set<String>

    /// Takes the functions that the catalogue lists as aggregates and as volatile, in lowercase.
    package init(aggregates listed: Set<String>, unrepeatable volatile: Set<String>) {
        aggregates = listed.union(Self.macros)
        unrepeatable = volatile.union(Self.context).subtracting(Self.constant)
    }

    /// Whether an aggregate's value can change with the order of rows. All can but those that are known not to: sums of
    /// floating-point numbers depend on it, and a function that is not known may.
    func isOrderSensitive(_ name: String) -> Bool { aggregates.contains(name) && !Self.orderless.contains(name) }

    /// Aggregates that give the same value whatever the order: counts, extremes, logic, and what sorts by itself.
    private static let orderless: Set<String> = [
        "count", "count_star", "count_if", "countif", "regr_count", "min", "max", "bool_and", "bool_or", "bit_and",
        "bit_or", "bit_xor", "bitstring_agg", "sum_no_overflow", "median", "mad", "quantile", "quantile_cont",
        "quantile_disc",
    ]

    /// Macros over aggregates, which the catalogue lists as macros.
    private static let macros: Set<String> = [
        "count_star", "geomean", "geometric_mean", "json_group_array", "json_group_object", "json_group_structure",
        "wavg", "weighted_avg",
    ]

    /// Functions of the clock, the session and the machine, some of which the catalogue takes for constant or lists as
    /// macros.
    private static let context: Set<String> = [
        "random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "now", "current_timestamp", "transaction_timestamp",
        "today", "current_date", "get_current_time", "current_time", "get_current_timestamp", "localtime",
        "localtimestamp", "current_localtime", "current_localtimestamp", "setseed", "nextval", "currval",
        "txid_current", "current_setting", "current_query", "current_database", "current_schema", "version", "getenv",
        "getvariable", "ago", "current_catalog", "current_role", "current_user", "session_user", "user",
        "current_query_id", "current_transaction_id", "current_connection_id", "pg_conf_load_time",
        "pg_postmaster_start_time",
        "inet_client_addr", "inet_client_port", "inet_server_addr", "inet_server_port", "pg_is_other_temp_schema",
        "get_block_size", "in_search_path", "which_secret", "read_blob", "read_text", "sleep_ms", "write_log",
    ]

    /// Listed as unstable although their value is always the same, or none.
    private static let constant: Set<String> = ["error"]
}
