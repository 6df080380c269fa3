internal import DuckDB
package import Lakehouse
package import Vocabulary

extension DuckDBLakeEngine {
    package func write(_ columns: [(name: String, column: LakeColumn)], into file: String) throws -> WrittenFile {
        let fields = columns.map { name, column in
            switch column {
            case .number: DeltaField(name: name, type: "double")
            case .integer: DeltaField(name: name, type: "long")
            case .text: DeltaField(name: name, type: "string")
            }
        }
        do {
            let definitions = zip(columns, fields).map { column, field in
                let type =
                    switch field.type {
                    case "double": "DOUBLE"
                    case "long": "BIGINT"
                    default: "VARCHAR"
                    }
                return "\(Quote.name(column.name)) \(type)"
            }
            try connection.execute("CREATE OR REPLACE TEMP TABLE outgoing (\(definitions.joined(separator: ", ")))")
            defer { _ = try? connection.execute("DROP TABLE IF EXISTS outgoing") }
            try connection.append(
                columns.map { _, column in
                    switch column {
                    case .number(let values): .doubles(values)
                    case .integer(let values, let valid): .integers(values, valid: valid)
                    case .text(let codes, let levels): .texts(codes: codes, levels: levels)
                    }
                }, to: "outgoing")
            return try copy("SELECT * FROM outgoing", to: file, fields)
        } catch let error as DuckDBError { throw explain(error, Query("")) }
    }
}
