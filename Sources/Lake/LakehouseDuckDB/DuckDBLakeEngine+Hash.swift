internal import Core
internal import DuckDB
package import Lakehouse

extension DuckDBLakeEngine {
    /// Computes the content hash of the rows of Parquet files that meet a condition, each over its own columns.
    ///
    /// A column that a later contract added so does not change the hash of what was there before.
    package func contentHash(of files: [String], where condition: String?, by scheme: ContentHash.Scheme) throws
        -> ContentHash
    {
        try files.reduce(ContentHash(scheme)) { total, file in
            try reading([file]) {
                let source = Quote.parquet([file])
                let fields = try fields(of: "SELECT * FROM \(source)")
                let rows = condition.map { "(SELECT * FROM \(source) WHERE \($0))" } ?? source
                return total + (try hash(of: fields, in: rows, by: scheme))
            }
        }
    }

    /// Hash over all columns, `_file` and `_row` included, together with their names and types: the same values under
    /// other names are other content.
    func hash(of fields: [DeltaField], in source: String, by scheme: ContentHash.Scheme = .h2) throws -> ContentHash {
        let hash = try scheme == .h1 ? Self.enginesRowHash(fields) : Self.rowHash(fields)
        let row =
            try connection.query(
                """
                SELECT count(*)::VARCHAR, coalesce(sum(h::HUGEINT), 0)::VARCHAR, coalesce(bit_xor(h), 0)::VARCHAR
                FROM (SELECT \(hash) AS h FROM \(source))
                """
            ).texts().first ?? []
        guard row.count == 3, let rows = row[0].flatMap({ Int($0) }), let sum = row[1].flatMap({ UInt128($0) }),
            let xor = row[2].flatMap({ UInt64($0) })
        else { throw MartletError(.defect, "engine.hash", "The hash of a table could not be computed.") }
        return ContentHash(scheme, rows: rows, sum: sum, xor: xor)
    }

    /// SQL for the hash of a row as docs/content-hash.md defines it, whatever types the columns were read as.
    /// - Throws: `engine.hash-type` for a column whose type no table can hold.
    static func rowHash(_ fields: [DeltaField]) throws -> String {
        let cells = try fields.map { field in
            guard DeltaTypes.isDelta(field.type) else {
                throw MartletError(
                    .input, "engine.hash-type",
                    "Column \(field.name) has the type \(field.type), which a table cannot hold.",
                    remedy: "Write the file with a type that docs/lakehouse.md lists.")
            }
            return "CAST(\(Quote.name(field.name)) AS \(DeltaTypes.duck(field.type)))"
        }
        return "\(RowHash.name)(\(ContentHash.seed(of: fields))::UBIGINT, \(cells.joined(separator: ", ")))"
    }

    /// SQL for the hash of a row by the scheme that rested on the engine.
    private static func enginesRowHash(_ fields: [DeltaField]) -> String {
        let schema = Quote.text(fields.map { "\($0.name):\($0.type)" }.joined(separator: ","))
        return "hash(\(schema), \(fields.map { Quote.name($0.name) }.joined(separator: ", ")))"
    }
}
