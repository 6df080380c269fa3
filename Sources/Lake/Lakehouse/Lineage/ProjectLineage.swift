package import Vocabulary

/// The columns of every table of a project, and what each comes from.
package final class ProjectLineage {
    package let contracts: [String: Contract]
    private var relations: [TableName: Relation] = [:]
    private let transforms: [TableName: Transform]
    private let engine: any LakeEngine
    private let symbols = SymbolSource()

    /// - Parameter transforms: in an order in which every table comes after those it reads.
    package init(contracts: [Contract], transforms: [PlannedTransform], engine: any LakeEngine) throws {
        self.contracts = Dictionary(contracts.map { ($0.source.lowercased(), $0) }) { first, _ in first }
        self.transforms = Dictionary(transforms.map { ($0.transform.table, $0.transform) }) { first, _ in first }
        self.engine = engine
        for contract in contracts {
            relations[TableName(.bronze, contract.source)] = Relation.bronze(contract, symbols)
        }
        for item in transforms { relations[item.transform.table] = try read(item.transform) }
    }

    package func relation(_ table: TableName) -> Relation? { relations[table] }
    package func file(of table: TableName) -> String? { transforms[table]?.file }
    package var tables: [TableName] { relations.keys.sorted() }

    private func read(_ transform: Transform) throws -> Relation {
        let relation = try engine.lineage(transform.sql, file: transform.file, symbols: symbols) { [self] table in
            guard let known = relations[table] else {
                throw MartletError(
                    .input, "transform.unknown-table", "There is no table \(table).", at: .init(file: transform.file))
            }
            return known
        }
        relation.columns.removeAll { $0.isMerged }
        for index in relation.columns.indices {
            let column = relation.columns[index]
            relation.columns[index].table = nil
            relation.columns[index].value.dependencies = column.value.dependencies.adding(
                step: LineageStep("\(transform.table).\(column.name)", file: transform.file, line: column.line))
        }
        let step = LineageStep("rows of \(transform.table)", file: transform.file)
        relation.rows = relation.rows.adding(step: step)
        if let rest = relation.rest {
            relation.rest = LineageValue(
                rest.dependencies.adding(
                    step: LineageStep("\(transform.table).(a column of its star)", file: transform.file)))
        }
        return relation
    }
}
