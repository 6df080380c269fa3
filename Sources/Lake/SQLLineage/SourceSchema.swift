/// Schema of a source for lineage: columns, key, and from when cells are known.
///
/// ```swift
/// let lineage = try ProjectLineage(sources: contracts.map(\.schema), queries: queries, parser: engine)
/// ```
package struct SourceSchema: Sendable {
    /// One column of a source.
    package struct Column: Sendable {
        /// Name of the column as in the contract.
        package var name: String
        /// When the value is known; `nil`: with its row.
        package var availability: Availability?
        /// Whether an accepted row may have no value in the column.
        package var mayBeNull: Bool

        package init(name: String, availability: Availability? = nil, mayBeNull: Bool = true) {
            self.name = name
            self.availability = availability
            self.mayBeNull = mayBeNull
        }
    }

    /// Bronze table of the source.
    package var table: TableName
    /// Columns in the contract's order, without those that ingestion adds (`_file`, `_row`).
    package var columns: [Column]
    /// Columns that identify a row.
    package var key: [String]
    /// Column with the time at which a row's event happened.
    package var eventTime: String?
    /// Column with the time from which a row is known; `nil`: its event time.
    package var availableAt: String?

    package init(
        table: TableName, columns: [Column], key: [String] = [], eventTime: String? = nil, availableAt: String? = nil
    ) {
        self.table = table
        self.columns = columns
        self.key = key
        self.eventTime = eventTime
        self.availableAt = availableAt
    }
}

extension Relation {
    /// Returns the analysed rows of a source, with new symbols for its values.
    package static func rows(of source: SourceSchema, _ symbols: SymbolSource) -> Relation {
        let relation = Relation()
        let table = source.table
        var byName: [String: Int] = [:]
        let names = source.columns.map(\.name) + ["_file", "_row"]
        for name in names { byName[name.lowercased()] = relation.newSymbol(symbols, mayBeNull: false) }
        for column in source.columns where column.mayBeNull {
            if let own = byName[column.name.lowercased()] { relation.nullable[own] = column.name }
        }
        func symbol(_ name: String?) -> Int? { name.flatMap { byName[$0.lowercased()] } }
        let event = symbol(source.eventTime)
        let arrival = symbol(source.availableAt) ?? event
        let rowAvailability: Availability =
            (source.availableAt ?? source.eventTime).map { .row($0) } ?? .always
        let rowKnown: KnownSince = arrival.map { .by([SymbolicTime($0)]) } ?? .always
        if let event, let arrival, event != arrival {
            relation.facts.append(OrderConstraint(SymbolicTime(event), notAfter: SymbolicTime(arrival)))
        }
        var row = Dependency(SourceColumn(table, nil), rowKnown, rowAvailability)
        row.isWeak = true
        relation.rows = [row]
        var instance = Instance(
            shape: symbols.next(), key: source.key.compactMap { symbol($0) },
            members: names.compactMap { symbol($0) })
        instance.event = event
        var declared: [String: Availability] = [:]
        for column in source.columns { declared[column.name] = column.availability }
        for name in names {
            guard let own = symbol(name) else { continue }
            var value = LineageValue(moment: SymbolicTime(own))
            var cell = Dependency(SourceColumn(table, name), rowKnown, rowAvailability)
            cell.isWeak = true
            switch declared[name] {
            case .at(let column):
                guard let later = symbol(column) else { break }
                cell.known = .by([SymbolicTime(later)])
                cell.availability = .at(column)
                cell.isWeak = false
                if let event {
                    relation.facts.append(OrderConstraint(SymbolicTime(event), notAfter: SymbolicTime(later)))
                }
            case .afterwards:
                cell.known = .never
                cell.availability = .afterwards
                cell.isWeak = false
            case .next(let entity):
                cell.availability = .next(of: entity)
                cell.isWeak = false
                guard let entitySymbol = symbol(entity), event != nil else {
                    cell.known = .never
                    break
                }
                let next = instance.follower?.next ?? relation.newSymbol(symbols)
                instance.follower = .init(next: next, entity: entitySymbol)
                instance.members.append(next)
                cell.known = .by([SymbolicTime(next)])
            default:
                if name == source.eventTime, source.availableAt == nil { cell.known = .by([SymbolicTime(own)]) }
            }
            value.dependencies = [cell]
            if cell.known != rowKnown, arrival != event, rowKnown != .always {
                var whole = Dependency(SourceColumn(table, name), rowKnown, rowAvailability)
                whole.isWeak = true
                value.dependencies.append(whole)
            }
            relation.columns.append(Column(name: name, value: value))
        }
        // A column that others wait for is itself known at what it says, not at the time of the row.
        let awaited = Set(
            source.columns.compactMap { column -> String? in
                if case .at(let name)? = column.availability { return name.lowercased() }
                return nil
            })
        for index in relation.columns.indices {
            let name = relation.columns[index].name
            guard awaited.contains(name.lowercased()), name != source.eventTime, name != source.availableAt,
                declared[name] == nil, let own = symbol(name)
            else { continue }
            var cell = Dependency(SourceColumn(table, name), .by([SymbolicTime(own)]), .at(name))
            cell.isWeak = false
            relation.columns[index].value.dependencies = [cell]
        }
        if !instance.key.isEmpty || instance.follower != nil { relation.instances = [instance] }
        if !instance.key.isEmpty { relation.rowKey = instance.key }
        return relation
    }
}
