internal import Core

/// Column lineage of all tables of a project, from sources through the transforms' SQL.
///
/// ```swift
/// let lineage = try ProjectLineage(sources: schemas, queries: queries, parser: engine)
/// let columns = lineage.relation(TableName(.gold, "encounters"))?.columns
/// ```
package final class ProjectLineage {
    /// A SELECT with the table that it makes and its file.
    package struct TableQuery {
        /// Silver or gold table that the SELECT makes.
        package var table: TableName
        /// Text of the SQL file: one SELECT.
        package var sql: String
        /// Path of the SQL file, for messages and lineage steps.
        package var file: String

        package init(table: TableName, sql: String, file: String) {
            self.table = table
            self.sql = sql
            self.file = file
        }
    }

    private let sources: [TableName: SourceSchema]
    private var relations: [TableName: Relation] = [:]
    private let files: [TableName: String]
    private let parser: any SQLParser
    private let symbols = SymbolSource()

    /// Analyses the queries in order.
    /// - Parameter queries: in an order in which every table comes after those it reads.
    package init(sources: [SourceSchema], queries: [TableQuery], parser: any SQLParser) throws {
        self.sources = Dictionary(sources.map { ($0.table, $0) }) { first, _ in first }
        files = Dictionary(queries.map { ($0.table, $0.file) }) { first, _ in first }
        self.parser = parser
        for source in sources { relations[source.table] = Relation.rows(of: source, symbols) }
        for query in queries { relations[query.table] = try read(query) }
    }

    /// The schema of a source; `nil` for other tables.
    package func source(_ table: TableName) -> SourceSchema? { sources[table] }
    /// The analysed columns and rows of a table; `nil` for an unknown one.
    package func relation(_ table: TableName) -> Relation? { relations[table] }
    /// Path of the SQL file that makes a table.
    package func file(of table: TableName) -> String? { files[table] }

    private func read(_ query: TableQuery) throws -> Relation {
        let relation = try parser.parse(query.sql, file: query.file).lineage(symbols: symbols) { [self] table in
            guard let known = relations[table] else {
                throw MartletError(
                    .input, "transform.unknown-table", "There is no table \(table).", at: .init(file: query.file))
            }
            return known
        }
        relation.columns.removeAll { $0.isMerged }
        for index in relation.columns.indices {
            let column = relation.columns[index]
            relation.columns[index].table = nil
            relation.columns[index].value.dependencies = column.value.dependencies.adding(
                step: LineageStep("\(query.table).\(column.name)", file: query.file, line: column.line))
        }
        let step = LineageStep("rows of \(query.table)", file: query.file)
        relation.rows = relation.rows.adding(step: step)
        if let rest = relation.rest {
            relation.rest = LineageValue(
                rest.dependencies.adding(
                    step: LineageStep("\(query.table).(a column of its star)", file: query.file)))
        }
        return relation
    }
}
