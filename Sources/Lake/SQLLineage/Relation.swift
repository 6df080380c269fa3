/// The analysed rows of a table or query: what its columns depend on and which time constraints hold.
package final class Relation {
    /// One column with the lineage of its value.
    package struct Column {
        /// Table name or alias that qualifies the column in the query.
        package var table: String?
        /// Name of the column in the result: its alias, where the query gives one.
        package var name: String
        /// What the column's value depends on, and from when it is known.
        package var value: LineageValue
        /// Whether USING joined it to a column that is shown already.
        package var isMerged = false
        /// Line in the SQL file, from 1, of the expression; `nil` for a column that no expression makes.
        package var line: Int?

        package init(table: String? = nil, name: String, value: LineageValue, line: Int? = nil) {
            self.table = table
            self.name = name
            self.value = value
            self.line = line
        }
    }

    /// Rows identified by a key: where the keys are equal, all other values are too.
    package struct Instance {
        /// Number shared by all readings of the same rows.
        package var shape: Int
        /// Symbols of the key.
        package var key: [Int]
        /// Symbols of all values.
        package var members: [Int]
        /// Symbol of the event time.
        package var event: Int?
        /// Whether a null key means that the other values are unknown: `a || b` is null where either is.
        package var needsKey = false
        /// Set when the rows are the next ones of the same entity, see ``Availability/next(of:)``.
        package var follower: Follower?

        /// Links a row to the next row of its entity.
        package struct Follower {
            /// Symbol of the time at which the entity's next row happens; it may be null.
            package var next: Int
            /// Symbol of the column that names the entity.
            package var entity: Int
        }
    }

    /// The columns that the analysis can name, in the order of the result.
    package var columns: [Column] = []
    /// Dependencies of further columns whose names the analysis cannot determine (a PIVOT).
    package var rest: LineageValue?
    /// Dependencies of a row's existence.
    package var rows: [Dependency] = []
    /// Order constraints that hold in every row.
    package var facts: [OrderConstraint] = []
    /// The readings of source rows that the relation contains.
    package var instances: [Instance] = []
    /// Symbols of values of these rows, as opposed to an outer query's.
    package var owned: Set<Int> = []
    /// Numbers of the outer joins within the relation.
    package var ownedJoins: Set<Int> = []
    /// Symbols that are null where one of these outer joins found no row.
    package var outer: [Int: Set<Int>] = [:]
    /// Symbols that may be null though their row exists, by column name; "" for a value without a name.
    package var nullable: [Int: String] = [:]
    /// Symbols that together identify a row.
    package var rowKey: [Int]?

    package init() {}

    /// Returns a second reading of the same rows under new symbols.
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

    /// Adds another relation's constraints and instances, but not its columns.
    func absorb(_ other: Relation) {
        facts += other.facts
        instances += other.instances
        owned.formUnion(other.owned)
        ownedJoins.formUnion(other.ownedJoins)
        outer.merge(other.outer) { $0.union($1) }
        nullable.merge(other.nullable) { old, _ in old }
    }

    /// Marks the rows as possibly missing: the optional side of an outer join.
    func makeOptional(_ join: Int) {
        ownedJoins.insert(join)
        for symbol in owned { outer[symbol, default: []].insert(join) }
        for index in facts.indices { facts[index].joins.insert(join) }
    }

    /// Creates a symbol for a value computed in these rows.
    func newSymbol(_ symbols: SymbolSource, mayBeNull: Bool = true) -> Int {
        let symbol = symbols.next()
        owned.insert(symbol)
        if mayBeNull { nullable[symbol] = "" }
        return symbol
    }
}
