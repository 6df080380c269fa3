internal import DuckDB
package import Lakehouse

// Raw rows in: under the contract's own rules, in the SQL by which files are taken.

extension DuckDBFeatureEngine {
    /// The sources whose rows are read.
    package var sourceNames: Set<String> { Set(sources.keys) }

    /// Checks raw rows against their contracts; without faults, features see them until the next call.
    package func look(at rows: RawRows) throws -> RowVerdict {
        var verdict = RowVerdict()
        for source in sources.values { source.clear() }
        for name in rows.keys.sorted() where sources[name] == nil {
            verdict.faults.append(RowFault(path: "$.rows.\(name)", rule: "a source of the model", value: nil))
        }
        guard verdict.faults.isEmpty else { return verdict }
        do {
            for (name, source) in sources.sorted(by: { $0.key < $1.key }) {
                guard let given = rows[name], !given.isEmpty else { continue }
                try source.look(at: given, place: "$.rows.\(name)", &verdict)
            }
        } catch let error as DuckDBError { throw Self.explain(error, engine) }
        if !verdict.faults.isEmpty {
            for source in sources.values { source.clear() }
            verdict.news = [:]
        }
        return verdict
    }

    /// Adds the rows of the last check to the state.
    package func keep(_ verdict: RowVerdict) throws {
        for name in verdict.news.keys.sorted() { sources[name]?.keep() }
    }
}
