internal import Lakehouse

/// Maps between DuckDB's and Delta's types.
enum DeltaTypes {
    /// The Delta type that holds a DuckDB type, and what to cast to first; `nil` when none does.
    static func delta(_ type: String) -> (type: String, cast: String?)? {
        switch type {
        case "VARCHAR": ("string", nil)
        case "BIGINT": ("long", nil)
        case "INTEGER": ("integer", nil)
        case "SMALLINT": ("short", nil)
        case "TINYINT": ("byte", nil)
        case "DOUBLE": ("double", nil)
        case "FLOAT": ("float", nil)
        case "BOOLEAN": ("boolean", nil)
        case "DATE": ("date", nil)
        case "BLOB": ("binary", nil)
        case "TIMESTAMP": ("timestamp_ntz", nil)
        case "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS": ("timestamp_ntz", "TIMESTAMP")
        case "TIMESTAMP WITH TIME ZONE": ("timestamp", nil)
        case "HUGEINT", "UINTEGER", "UBIGINT": ("long", "BIGINT")
        case "USMALLINT", "UTINYINT": ("integer", "INTEGER")
        case "UUID": ("string", "VARCHAR")
        case "\"NULL\"", "NULL": ("string", "VARCHAR")
        default:
            if type.hasPrefix("DECIMAL(") {
                (type.lowercased(), nil)
            } else if type.hasPrefix("ENUM(") {
                ("string", "VARCHAR")
            } else {
                nil
            }
        }
    }

    /// Whether it is the name of a type that a table's column can have.
    static func isDelta(_ type: String) -> Bool { names.contains(type) || type.hasPrefix("decimal(") }

    private static let names: Set<String> = [
        "string", "long", "integer", "short", "byte", "double", "float", "boolean", "date", "binary", "timestamp_ntz",
        "timestamp",
    ]

    /// The DuckDB type that a table's column is read as.
    static func duck(_ delta: String) -> String {
        switch delta {
        case "string": "VARCHAR"
        case "long": "BIGINT"
        case "short": "SMALLINT"
        case "byte": "TINYINT"
        case "binary": "BLOB"
        case "timestamp_ntz": "TIMESTAMP"
        case "timestamp": "TIMESTAMP WITH TIME ZONE"
        default: delta.uppercased()
        }
    }

    static func duck(_ type: ColumnType) -> String {
        switch type {
        case .text: "VARCHAR"
        case .bigint: "BIGINT"
        case .integer: "INTEGER"
        case .double: "DOUBLE"
        case .boolean: "BOOLEAN"
        case .date: "DATE"
        case .timestamp: "TIMESTAMP"
        case .decimal(let precision, let scale): "DECIMAL(\(precision),\(scale))"
        }
    }
}
