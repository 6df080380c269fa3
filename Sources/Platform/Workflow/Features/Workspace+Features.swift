internal import Core
package import Lakehouse
package import Projects
package import Registry
internal import SQLLineage

// What a feature worker needs to know: which SQL, which files, which rows can matter.

extension Workspace {
    /// Returns the plan for computing single feature rows of a model over the lake's present state.
    /// - Parameter reference: the version whose stored SQL counts; the project's own SQL when `nil`.
    /// - Throws: `process.record`, `process.column` for a `process:` that does not fit; besides that as for a run.
    package func featurePlan(_ model: Project.Model, of reference: ModelReference?) throws -> FeaturePlan {
        let planned = try plannedTransforms()
        var used = planned
        var isOwn = true
        if let reference {
            let stored = try load(reference).blueprint.transforms
            let promises = Dictionary(project.transforms.map { ($0.table, $0.incremental) }) { first, _ in first }
            used = try plan(
                stored.map { item in
                    var transform = Transform(table: item.table, file: item.file, sql: item.sql)
                    transform.incremental = promises[item.table] ?? nil
                    return transform
                })
            let sql = Dictionary(planned.map { ($0.transform.table, $0.transform.sql) }) { first, _ in first }
            isOwn = used.allSatisfy { sql[$0.transform.table] == $0.transform.sql }
        }
        let (bronze, built) = ancestry(of: model.table, in: used)
        let record = try record(of: model, among: bronze)
        let reach = reach(of: model.table, in: built)
        let spare = spareForAll(planned)
        let sources = try bronze.map { name -> FeaturePlan.Source in
            let source = try source(name)
            let given = model.process.rows[source.name]
            let same = given?.same ?? []
            for column in same {
                for contract in [source.contract, record]
                where !contract.columns.contains(where: { $0.name == column }) {
                    throw MartletError(
                        .input, "process.column", "The source \(contract.source) has no column \(column).",
                        at: place(model, "rows.\(source.name).same"))
                }
            }
            return FeaturePlan.Source(
                contract: source.contract.sparing(spare[name] ?? []), format: source.format,
                files: try lake.table(name).exists ? lake.files(of: name) : [], same: same,
                lookback: given?.lookback ?? (source.contract.eventTime == nil ? nil : reach[name] ?? nil))
        }
        for name in model.process.rows.keys where !bronze.contains(TableName(.bronze, name)) {
            throw wrong(model, "\(model.table) is not made from a source \(name).", given: "rows.\(name)")
        }
        let stands = try isOwn && built.allSatisfy { try lake.isUpToDate($0) }
        let check = leakCheck(model, try lineage(used))
        return FeaturePlan(
            sources: sources, transforms: built, table: model.table, key: model.key, record: record.source,
            features: check?.features().map(\.name) ?? [],
            reference: stands ? try lake.files(of: model.table) : nil)
    }

    /// The columns that raw rows may lack whichever model they are for: all workers of a project read the same rows.
    private func spareForAll(_ planned: [PlannedTransform]) -> [TableName: Set<String>] {
        var spare: [TableName: Set<String>]?
        for model in project.models {
            let own = spareColumns(checked(model), features: nil, planned)
            spare =
                spare.map { known in
                    known.merging(own) { $0.intersection($1) }.filter { own[$0.key] != nil }
                } ?? own
        }
        return spare ?? [:]
    }

    private func source(_ name: TableName) throws -> Project.Source {
        guard let source = project.source(name.name) else {
            throw MartletError(.input, "transform.unknown-table", "There is no table \(name).")
        }
        return source
    }

    /// The contract of the source whose rows are the model's records.
    private func record(of model: Project.Model, among bronze: [TableName]) throws -> Contract {
        let contracts = try bronze.map { try source($0).contract }
        func fits(_ contract: Contract) -> Bool {
            contract.eventTime != nil && contract.columns.contains { $0.name == model.key }
        }
        if let name = model.process.record {
            guard let contract = contracts.first(where: { $0.source == name }) else {
                throw wrong(model, "\(model.table) is not made from a source \(name).", given: "record")
            }
            guard fits(contract) else {
                throw wrong(
                    model, "The source \(name) has no event_time, or no column \(model.key).",
                    given: "record")
            }
            return contract
        }
        let candidates = contracts.filter { fits($0) && $0.key == [model.key] }
        guard candidates.count == 1 else {
            throw wrong(
                model,
                candidates.isEmpty
                    ? "No source of \(model.table) has the key \(model.key) and an event_time, so none can bring single records."
                    : "Several sources have the key \(model.key): \(candidates.map(\.source).joined(separator: ", ")).",
                given: nil, remedy: "Name the one whose rows are the records: process: {record: …}.")
        }
        return candidates[0]
    }

    /// How far back of a row of the table each table behind it is read, in seconds; `nil` where no bound is promised.
    private func reach(of table: TableName, in built: [PlannedTransform]) -> [TableName: Int?] {
        var reach: [TableName: Int?] = [table: 0]
        for item in built.reversed() {
            let own = reach[item.transform.table] ?? nil
            let total = own.flatMap { own in item.transform.incremental.map { own + $0.lookback } }
            for parent in item.analysis.tables {
                if let known = reach[parent] {
                    reach[parent] = .some(known.flatMap { known in total.map { max(known, $0) } })
                } else {
                    reach[parent] = .some(total)
                }
            }
        }
        return reach
    }

    private func place(_ model: Project.Model, _ key: String?) -> MartletError.Location {
        .init(file: "martlet.yaml", key: "models.\(model.name).process" + (key.map { ".\($0)" } ?? ""))
    }

    private func wrong(
        _ model: Project.Model, _ message: String, given key: String?, remedy: String? = nil
    ) -> MartletError {
        MartletError(.input, "process.record", message, at: place(model, key), remedy: remedy)
    }
}
