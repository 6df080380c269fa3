internal import DuckDB
package import Lakehouse

// The promise of a plan, put to the proof on rows of the table itself.

extension DuckDBFeatureEngine {
    /// Recomputes records of the table as of their times and compares, to check the plan's restriction.
    package func prove(records: Int) throws -> FeatureProof {
        do {
            var proof = FeatureProof()
            let sample = try reference(records)
            let names = Set(plan.features.map { $0.lowercased() })
            let compared = columns.indices.filter { names.contains(columns[$0].name.lowercased()) }
            func difference(_ key: String, _ wanted: [FeatureValue], isRestricted: Bool) throws -> String? {
                guard let row = try features(of: key, isRestricted: isRestricted), let values = row.values else {
                    return "the record \(key) has no row"
                }
                guard let first = compared.first(where: { !values[$0].isSame(as: wanted[$0]) }) else { return nil }
                return "\(columns[first].name) of \(key) is \(values[first]) and \(wanted[first]) in the table"
            }
            for (key, wanted) in sample {
                proof.records += 1
                guard let found = try difference(key, wanted, isRestricted: isRestricted) else { continue }
                // Over all rows before its moment it either comes out as in the table, or the table knows more.
                guard isRestricted, try difference(key, wanted, isRestricted: false) == nil else {
                    proof.difference = found
                    break
                }
                proof.restriction = found
                isRestricted = false
            }
            proof.isRestricted = isRestricted
            return proof
        } catch let error as DuckDBError { throw Self.explain(error, engine) }
    }

    /// Rows of the table, drawn by the hash of their key; made over all rows if the table does not stand on them.
    private func reference(_ count: Int) throws -> [(key: String, values: [FeatureValue])] {
        var table = Self.name(plan.table)
        if let files = plan.reference {
            table = Quote.parquet(files)
        } else {
            for source in sources.values { source.handAll() }
        }
        defer { for name in sources.keys { handed.put(nil, as: name) } }
        let key = Quote.name(plan.key)
        guard let place = columns.firstIndex(where: { $0.name.lowercased() == plan.key.lowercased() }) else {
            return []
        }
        let found = try rows(
            connection.query(
                """
                SELECT \(Self.cells(columns)) FROM \(table) WHERE \(key) IS NOT NULL
                ORDER BY hash(CAST(\(key) AS VARCHAR)) LIMIT \(count)
                """))
        return found.compactMap { values in
            switch values[place] {
            case .text(let text): (text, values)
            case .integer(let number): ("\(number)", values)
            default: nil
            }
        }
    }
}
