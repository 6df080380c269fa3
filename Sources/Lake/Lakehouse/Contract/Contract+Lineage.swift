package import SQLLineage

extension Contract {
    /// Whether an accepted row may lack this cell. Every row has its key and its event.
    func mayBeNull(_ column: Column) -> Bool {
        if key.contains(column.name) || column.name == eventTime { return false }
        return column.nullable || column.optional || (column.onViolation ?? onViolation) == .warn
    }
}

extension Contract {
    /// The contract as lineage reads it: columns, key, and since when values are known.
    package var schema: SourceSchema {
        SourceSchema(
            table: TableName(.bronze, source),
            columns: columns.map {
                .init(name: $0.name, availability: $0.availability, mayBeNull: mayBeNull($0))
            },
            key: key, eventTime: eventTime, availableAt: availableAt)
    }
}

extension Contract.Column {
    /// When the column's value is known, parsed from `available_at`; `nil`: with its row.
    package var availability: Availability? { availableAt.map { Availability($0) } }
}
