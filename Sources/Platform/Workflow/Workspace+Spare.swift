internal import Core
internal import Lakehouse
package import Projects
package import SQLLineage
internal import Training

// Which columns a row may lack that is only to be scored: those that the target is made of, and those that, by the
// lineage of the SQL, reach neither the model's key, nor its features, nor the choice of rows.

extension Workspace {
    /// The columns of each source that rows to be scored by a model may lack; none where the SQL is not understood.
    /// - Parameters:
    ///   - features: what the model reads; what the project says when `nil`.
    ///   - planned: the SQL by which the model's table is made.
    func spareColumns(
        _ model: LeakCheck.Model, features: [String]?, _ planned: [PlannedTransform]
    ) -> [TableName: Set<String>] {
        guard
            let lineage = try? lineage(planned),
            let check = LeakCheck(lineage, model)
        else { return [:] }
        let orders = ancestry(of: model.table, in: planned).built.compactMap { item in
            item.transform.incremental.map { (item.transform.table, $0.by) }
        }
        let needed = check.origins(
            of: (features ?? check.features().map(\.name)) + [model.key].compactMap(\.self),
            and: orders)
        var spare: [TableName: Set<String>] = [:]
        for source in project.sources {
            let contract = source.contract
            let table = TableName(.bronze, source.name)
            let kept = Set(contract.key + [contract.eventTime, contract.availableAt].compactMap(\.self))
            let free = contract.columns.map(\.name).filter { name in
                let origin = SourceColumn(table, name)
                return check.targetOrigins.contains(origin) || !needed.contains(origin)
            }
            spare[table] = Set(free).subtracting(kept)
        }
        return spare
    }

    /// Returns a model in the form that the leak check reads.
    package func checked(_ model: Project.Model) -> LeakCheck.Model {
        LeakCheck.Model(
            name: model.name, table: model.table, target: model.target, eventTime: model.eventTime, key: model.key,
            others: [model.key, model.target, model.group, model.eventTime, model.plan.entity].compactMap(\.self)
                + model.exclude,
            include: model.include)
    }
}
