internal import Core
internal import DuckDB
package import Lakehouse

extension DuckDBLakeEngine {
    /// Writes typed columns to a Parquet file as a table's content.
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
                columns.map { $0.column.asResult }, to: "outgoing")
            return try copy("SELECT * FROM outgoing", to: file, fields)
        } catch let error as DuckDBError { throw explain(error, Query("")) }
    }
    /// Writes rows produced in batches to a Parquet file as a table's content.
    package func write(_ batches: LakeBatches, into file: String) throws -> WrittenFile {
        guard let batchTables else {
            throw MartletError(.defect, "engine.batches", "Batches are written by an engine's first session only.")
        }
        let handed = ColumnBatches(columns: batches.columns.map { ($0.name, $0.column.asResult) }) {
            try batches.next()?.map(\.asResult)
        }
        let query = Query(batches.select("_martlet_batches('outgoing')"))
        return try batchTables.with(handed, as: "outgoing") {
            try explained(query) {
                let (fields, select) = try projection(query)
                return try onOneThread(true) { try copy(select, to: file, fields) }
            }
        }
    }
}

extension LakeColumn {
    fileprivate var asResult: ResultColumn {
        switch self {
        case .number(let values): .doubles(values)
        case .integer(let values, let valid): .integers(values, valid: valid)
        case .text(let codes, let levels): .texts(codes: codes, levels: levels)
        }
    }
}
