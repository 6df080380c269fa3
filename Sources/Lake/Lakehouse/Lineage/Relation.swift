/// The rows of a table or a query: what their columns come from, and what is known of their moments.
package final class Relation {
    package struct Column {
        /// The name of the table it stands under, as the query calls it.
        package var table: String?
        package var name: String
        package var value: LineageValue
        /// Joined by USING to one that is shown already.
        package var isMerged = false
        package var line: Int?

        package init(table: String? = nil, name: String, value: LineageValue, line: Int? = nil) {
            self.table = table
            self.name = name
            self.value = value
            self.line = line
        }
    }

    /// Rows of one kind under a key: where the keys are equal, so is everything else.
    package struct Instance {
        /// Equal for every reading of the same rows.
        package var shape: Int
        package var key: [Int]
        package var members: [Int]
        package var event: Int?
        /// A key that is null says nothing of the rest: `a || b` is null where either is.
        package var needsKey = false
        /// Stands for the next row of the same entity: see ``Availability/next(of:)``.
        package var follower: Follower?

        package struct Follower {
            package var next: Int
            package var entity: Int
        }

        package init(shape: Int, key: [Int], members: [Int]) {
            self.shape = shape
            self.key = key
            self.members = members
        }
    }

    package var columns: [Column] = []
    /// What any further column could hold whose name the analysis cannot tell (a PIVOT).
    package var rest: LineageValue?
    /// What the existence of a row depends on.
    package var rows: [Dependency] = []
    package var facts: [OrderConstraint] = []
    package var instances: [Instance] = []
    /// Symbols that stand for values of these rows, not of some row outside.
    package var owned: Set<Int> = []
    package var ownedJoins: Set<Int> = []
    /// Symbols that are null where one of these outer joins found no row.
    package var outer: [Int: Set<Int>] = [:]
    /// Symbols that may be null though their row is there, by the name of the column; a value without a name by "".
    package var nullable: [Int: String] = [:]
    /// Symbols that no two rows share.
    package var rowKey: [Int]?

    package init() {}

    /// The same rows, read once more.
    package func copy(_ symbols: SymbolSource) -> (relation: Relation, names: Renaming) {
        var names = Renaming()
        for symbol in owned { names.symbols[symbol] = symbols.next() }
        for join in ownedJoins { names.joins[join] = symbols.next() }
        let copy = Relation()
        copy.columns = columns.map {
            var column = $0
            column.value = names(column.value)
            return column
        }
        copy.rest = rest.map { names($0) }
        copy.rows = names(rows)
        copy.facts = facts.map { names($0) }
        copy.instances = instances.map {
            var instance = $0
            instance.key = $0.key.map { names($0) }
            instance.members = $0.members.map { names($0) }
            instance.event = $0.event.map { names($0) }
            if let follower = $0.follower {
                instance.follower = .init(next: names(follower.next), entity: names(follower.entity))
            }
            return instance
        }
        copy.owned = Set(owned.map { names($0) })
        copy.ownedJoins = Set(ownedJoins.map { names.joins[$0] ?? $0 })
        for (symbol, joins) in outer { copy.outer[names(symbol)] = Set(joins.map { names.joins[$0] ?? $0 }) }
        for (symbol, name) in nullable { copy.nullable[names(symbol)] = name }
        copy.rowKey = rowKey?.map { names($0) }
        return (copy, names)
    }

    /// Takes over what another relation knows, its columns left out.
    package func absorb(_ other: Relation) {
        facts += other.facts
        instances += other.instances
        owned.formUnion(other.owned)
        ownedJoins.formUnion(other.ownedJoins)
        outer.merge(other.outer) { $0.union($1) }
        nullable.merge(other.nullable) { old, _ in old }
    }

    /// From here on these rows may be missing: the far side of an outer join.
    package func makeOptional(_ join: Int) {
        ownedJoins.insert(join)
        for symbol in owned { outer[symbol, default: []].insert(join) }
        for index in facts.indices { facts[index].joins.insert(join) }
    }

    /// A symbol for a value that is made in these rows.
    package func newSymbol(_ symbols: SymbolSource, mayBeNull: Bool = true) -> Int {
        let symbol = symbols.next()
        owned.insert(symbol)
        if mayBeNull { nullable[symbol] = "" }
        return symbol
    }
}

extension Relation {
    /// The rows of a source as its contract describes them.
    package static func bronze(_ contract: Contract, _ symbols: SymbolSource) -> Relation {
        let relation = Relation()
        let table = TableName(.bronze, contract.source)
        var byName: [String: Int] = [:]
        let names = contract.columns.map(\.name) + ["_file", "_row"]
        for name in names { byName[name.lowercased()] = relation.newSymbol(symbols, mayBeNull: false) }
        for column in contract.columns where contract.mayBeNull(column) {
            if let own = byName[column.name.lowercased()] { relation.nullable[own] = column.name }
        }
        func symbol(_ name: String?) -> Int? { name.flatMap { byName[$0.lowercased()] } }
        let event = symbol(contract.eventTime)
        let arrival = symbol(contract.availableAt) ?? event
        let rowAvailability: Availability =
            (contract.availableAt ?? contract.eventTime).map { .row($0) } ?? .always
        let rowKnown: KnownSince = arrival.map { .by([SymbolicTime($0)]) } ?? .always
        if let event, let arrival, event != arrival {
            relation.facts.append(OrderConstraint(SymbolicTime(event), notAfter: SymbolicTime(arrival)))
        }
        var row = Dependency(SourceColumn(table, nil), rowKnown, rowAvailability)
        row.isWeak = true
        relation.rows = [row]
        var instance = Instance(
            shape: symbols.next(), key: contract.key.compactMap { symbol($0) },
            members: names.compactMap { symbol($0) })
        instance.event = event
        var declared: [String: Availability] = [:]
        for column in contract.columns { declared[column.name] = column.availability }
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
                if name == contract.eventTime, contract.availableAt == nil { cell.known = .by([SymbolicTime(own)]) }
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
            contract.columns.compactMap { column -> String? in
                if case .at(let name)? = column.availability { return name.lowercased() }
                return nil
            })
        for index in relation.columns.indices {
            let name = relation.columns[index].name
            guard awaited.contains(name.lowercased()), name != contract.eventTime, name != contract.availableAt,
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
