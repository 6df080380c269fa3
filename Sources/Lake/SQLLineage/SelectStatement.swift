internal import Core

/// Reads SQL into a syntax tree.
package protocol SQLParser {
    /// - Parameter file: where the SQL stands, for messages.
    /// - Throws: where the text is not one SELECT.
    func parse(_ sql: String, file: String) throws -> SelectStatement
}

/// One SELECT as an engine's parser reads it.
///
/// ```swift
/// let statement = try engine.parse("SELECT id, a + b AS c FROM bronze.t", file: "transforms/silver/t.sql")
/// try statement.analysis().tables  // [bronze.t]
/// ```
package struct SelectStatement {
    package let sql: String
    /// Where the SQL stands, for messages.
    package let file: String
    let node: SyntaxNode
    let functions: FunctionCatalogue

    package init(sql: String, file: String, node: SyntaxNode, functions: FunctionCatalogue) {
        self.sql = sql
        self.file = file
        self.node = node
        self.functions = functions
    }

    /// The tables that it reads, and whether its result may depend on the order of rows.
    /// - Throws: where it reads from outside of the lakehouse, or would give another result each time.
    package func analysis() throws -> QueryAnalysis {
        var references = TableReferences(file: file, functions: functions)
        try references.visit(node.raw, scope: [])
        return QueryAnalysis(tables: references.tables.sorted(), orderSensitive: references.orderSensitive)
    }

    /// What its columns come from, and since when what they say is known.
    /// - Parameter tables: the rows of each table that it reads.
    package func lineage(
        symbols: SymbolSource, tables: @escaping (TableName) throws -> Relation
    ) throws -> Relation {
        let reader = ColumnLineage(
            file: file, sql: sql, symbols: symbols, aggregates: functions.aggregates, tables: tables)
        return try reader.query(node, outer: nil, common: [:])
    }
}

package struct QueryAnalysis: Sendable, Equatable {
    package var tables: [TableName]
    /// Has windows or aggregates whose last bits or choices depend on the order of rows (a sum of doubles,
    /// `first`, `string_agg`).
    package var orderSensitive: Bool

    package init(tables: [TableName], orderSensitive: Bool) {
        self.tables = tables
        self.orderSensitive = orderSensitive
    }
}
