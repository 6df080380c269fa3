internal import Core

/// A parser of SQL text into a syntax tree, provided by an engine.
package protocol SQLParser {
    /// Parses one SELECT.
    /// - Parameter file: path of the SQL, for messages.
    /// - Throws: where the text is not one SELECT.
    func parse(_ sql: String, file: String) throws -> SelectStatement
}

/// One parsed SELECT, ready for analysis.
///
/// ```swift
/// let statement = try engine.parse("SELECT id, a + b AS c FROM bronze.t", file: "transforms/silver/t.sql")
/// try statement.analysis().tables  // [bronze.t]
/// ```
package struct SelectStatement {
    /// Text of the statement, in which lines are counted for messages.
    package let sql: String
    /// Path of the SQL file, for messages.
    package let file: String
    let node: SyntaxNode
    let functions: FunctionCatalogue

    package init(sql: String, file: String, node: SyntaxNode, functions: FunctionCatalogue) {
        self.sql = sql
        self.file = file
        self.node = node
        self.functions = functions
    }

    /// Returns the tables that it reads, and whether its result may depend on the order of rows.
    /// - Throws: where it reads from outside of the lakehouse, or would give another result each time.
    package func analysis() throws -> QueryAnalysis {
        var references = TableReferences(file: file, functions: functions)
        try references.visit(node.raw, scope: [])
        return QueryAnalysis(tables: references.tables.sorted(), orderSensitive: references.orderSensitive)
    }

    /// Returns what its columns depend on, and from when their values are known.
    /// - Parameter tables: the rows of each table that it reads.
    package func lineage(
        symbols: SymbolSource, tables: @escaping (TableName) throws -> Relation
    ) throws -> Relation {
        let reader = ColumnLineage(
            file: file, sql: sql, symbols: symbols, aggregates: functions.aggregates, tables: tables)
        return try reader.query(node, outer: nil, common: [:])
    }
}

/// The tables that a SELECT reads, and whether the order of their rows matters.
package struct QueryAnalysis: Sendable, Equatable {
    /// The lakehouse tables that it reads, each once, sorted by layer and name.
    package var tables: [TableName]
    /// Whether the result depends on the order of rows, by windows or aggregates such as `first` or a sum of doubles.
    package var orderSensitive: Bool
}
