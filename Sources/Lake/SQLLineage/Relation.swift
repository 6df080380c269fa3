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
