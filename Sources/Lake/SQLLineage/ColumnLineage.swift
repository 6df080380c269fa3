internal import Core

// A query's columns and where they come from, read off DuckDB's syntax tree.
//
// What the analysis knows exactly: names, stars, joins, filters, grouping, windows, set operations, subqueries, and
// how comparisons bound moments. What it does not know counts as depending on every column in sight.

/// Analyses one statement: what its columns depend on and when they are known.
final class ColumnLineage {
    let file: String
    let symbols: SymbolSource
    /// The rows of a table that is written with its layer.
    let tables: (TableName) throws -> Relation
    /// Names of functions that make one value of many rows.
    let aggregates: Set<String>
    private let lineStarts: [Int]
    var shapes: [String: Int] = [:]
    var depth = 0

    init(
        file: String, sql: String, symbols: SymbolSource, aggregates: Set<String>,
        tables: @escaping (TableName) throws -> Relation
    ) {
        self.file = file
        self.symbols = symbols
        self.aggregates = aggregates
        self.tables = tables
        lineStarts = [0] + sql.utf8.enumerated().compactMap { $1 == UInt8(ascii: "\n") ? $0 + 1 : nil }
    }

    /// 1 for the first line.
    func line(_ node: SyntaxNode) -> Int? {
        func first(_ node: SyntaxNode) -> Int? {
            node.place ?? node.expressions.lazy.compactMap { first($0) }.first
        }
        return first(node).map { place in lineStarts.lastIndex { $0 <= place }.map { $0 + 1 } ?? 1 }
    }

    func failure(_ code: String, _ message: String, _ node: SyntaxNode?, remedy: String? = nil) -> MartletError {
        MartletError(
            .input, code, message, at: .init(file: file, line: node.flatMap { line($0) }), remedy: remedy)
    }

    /// One number for each node of the tree, the same for every reading of it.
    func shape(of node: SyntaxNode, _ what: String) -> Int {
        let key = "\(what)|\(node.canonical)"
        if let known = shapes[key] { return known }
        let new = symbols.next()
        shapes[key] = new
        return new
    }

    /// A query under the common table expressions of its context.
    func query(_ node: SyntaxNode, outer: LineageScope?, common: [String: Relation]) throws -> Relation {
        depth += 1
        defer { depth -= 1 }
        guard depth < 200 else { throw failure("lineage.too-deep", "The query nests too deeply.", node) }
        var common = common
        for entry in node["cte_map"]?.list("map") ?? [] {
            guard let value = entry["value"], let inner = value["query"]?["node"] else { continue }
            let name = entry.text("key")
            let relation = try query(inner, outer: outer, common: common)
            rename(relation, value.texts("aliases"))
            common[name.lowercased()] = named(relation, name)
        }
        switch node.type {
        case "SELECT_NODE": return try select(node, outer: outer, common: common)
        case "SET_OPERATION_NODE": return try setOperation(node, outer: outer, common: common)
        case "RECURSIVE_CTE_NODE": return try recursion(node, outer: outer, common: common)
        case "CTE_NODE":
            guard let inner = node["query"], let child = node["child"] else { fallthrough }
            let name = node.text("cte_name")
            let relation = try query(inner, outer: outer, common: common)
            rename(relation, node.texts("aliases"))
            common[name.lowercased()] = named(relation, name)
            return try query(child, outer: outer, common: common)
        default:
            throw failure("lineage.unknown", "The form \(node.type) of a query is not understood.", node)
        }
    }

    /// Marks a common table expression as a step on the way of its columns.
    private func named(_ relation: Relation, _ name: String) -> Relation {
        for index in relation.columns.indices {
            let column = relation.columns[index]
            relation.columns[index].value.dependencies = column.value.dependencies.adding(
                step: LineageStep("\(name).\(column.name)", file: file, line: column.line))
        }
        return relation
    }

    func rename(_ relation: Relation, _ names: [String]) {
        var names = names[...]
        for index in relation.columns.indices where !relation.columns[index].isMerged {
            guard let name = names.popFirst() else { return }
            relation.columns[index].name = name
        }
    }

    // MARK: Set operations

    private func setOperation(_ node: SyntaxNode, outer: LineageScope?, common: [String: Relation]) throws -> Relation {
        // Some trees hold two branches, others a list of them.
        let branches =
            node.list("children").isEmpty ? ["left", "right"].compactMap { node[$0] } : node.list("children")
        var relations = try branches.map { try query($0, outer: outer, common: common) }
        guard var left = relations.first else {
            throw failure("lineage.unknown", "A set operation without branches is not understood.", node)
        }
        relations.removeFirst()
        let kind = node.text("setop_type")
        for right in relations {
            left =
                kind.hasPrefix("UNION")
                ? union(left, right, byName: kind == "UNION_BY_NAME", outer)
                : difference(left, right, outer)
        }
        let scope = LineageScope(left, outer: outer, common: common)
        try modify(left, node.list("modifiers"), scope, items: [])
        return left
    }

    /// Rows of either: what a value waits for is told by the columns that both have.
    private func union(_ left: Relation, _ right: Relation, byName: Bool, _ outer: LineageScope?) -> Relation {
        let result = Relation()
        for branch in [left, right] { result.absorb(branch) }
        let first = left.columns.filter { !$0.isMerged }
        let second = right.columns.filter { !$0.isMerged }
        var pairs: [(Relation.Column?, Relation.Column?)] = []
        if byName {
            pairs = first.map { column in (column, second.first { $0.name.lowercased() == column.name.lowercased() }) }
            pairs += second.filter { column in
                !first.contains { $0.name.lowercased() == column.name.lowercased() }
            }.map { (nil, $0) }
        } else {
            for index in 0..<max(first.count, second.count) {
                pairs.append((index < first.count ? first[index] : nil, index < second.count ? second[index] : nil))
            }
        }
        let orders = [order(of: left, outer), order(of: right, outer)]
        func isThere(_ column: Relation.Column?, _ side: Int) -> Bool {
            column?.value.moment.map { orders[side].isThere($0.symbol) } ?? false
        }
        let made = pairs.map { pair in
            result.newSymbol(symbols, mayBeNull: !isThere(pair.0, 0) || !isThere(pair.1, 1))
        }
        func retold(_ dependencies: [Dependency], _ side: Int) -> [Dependency] {
            dependencies.map { dependency in
                guard case .by(let moments) = dependency.known else { return dependency }
                var all = moments
                for moment in moments {
                    for (pair, symbol) in zip(pairs, made) {
                        guard let column = side == 0 ? pair.0 : pair.1, let own = column.value.moment else { continue }
                        let bounds = orders[side].bounds(of: moment) { $0 == own.symbol }
                        for bound in bounds { all.insert(SymbolicTime(symbol, bound.shift &- own.shift)) }
                    }
                }
                var copy = dependency
                copy.known = .by(all)
                return copy
            }
        }
        for (pair, symbol) in zip(pairs, made) {
            var value = LineageValue(moment: SymbolicTime(symbol))
            value.dependencies =
                (retold(pair.0?.value.dependencies ?? [], 0)
                + retold(pair.1?.value.dependencies ?? [], 1)).unique
            result.columns.append(
                Relation.Column(name: pair.0?.name ?? pair.1?.name ?? "", value: value, line: pair.0?.line))
        }
        // What holds between two columns in both branches holds between them here.
        for (i, pair) in zip(pairs.indices, pairs) where pairs.count <= 60 {
            guard let a = pair.0?.value.moment, let b = pair.1?.value.moment else { continue }
            for (j, other) in zip(pairs.indices, pairs) where i != j {
                guard let c = other.0?.value.moment, let d = other.1?.value.moment,
                    let one = orders[0].bounds(of: a, whereThere: true, where: { $0 == c.symbol }).first,
                    let two = orders[1].bounds(of: b, whereThere: true, where: { $0 == d.symbol }).first
                else { continue }
                let shift = max(one.shift &- c.shift, two.shift &- d.shift)
                result.facts.append(OrderConstraint(SymbolicTime(made[i]), notAfter: SymbolicTime(made[j], shift)))
            }
        }
        result.rows = (retold(left.rows, 0) + retold(right.rows, 1)).unique
        let rests = [left.rest, right.rest].compactMap(\.self)
        if !rests.isEmpty { result.rest = LineageValue(rests.flatMap(\.dependencies).unique) }
        return result
    }

    /// EXCEPT and INTERSECT: rows of the left, chosen by those of the right.
    private func difference(_ left: Relation, _ right: Relation, _ outer: LineageScope?) -> Relation {
        let order = order(of: right, outer)
        let all = right.columns.flatMap(\.value.dependencies) + right.rows.attached
        left.rows = (left.rows + forget(all, right.owned, order, "in EXCEPT or INTERSECT").strong).unique
        left.rowKey = nil
        return left
    }

    /// A query that reads itself: everything may come from everything, at no moment that can be determined.
    private func recursion(_ node: SyntaxNode, outer: LineageScope?, common: [String: Relation]) throws -> Relation {
        guard let first = node["left"], let second = node["right"] else {
            throw failure("lineage.unknown", "This recursive query is not understood.", node)
        }
        let left = try query(first, outer: outer, common: common)
        rename(left, node.texts("aliases"))
        func flat(_ relations: [Relation]) -> Relation {
            let result = Relation()
            let all = relations.flatMap { relation in
                forget(
                    relation.columns.flatMap(\.value.dependencies) + relation.rows.attached
                        + (relation.rest?.dependencies ?? []),
                    relation.owned, order(of: relation, outer), "in a recursive query")
            }.unique.strong
            result.columns = left.columns.map {
                Relation.Column(name: $0.name, value: LineageValue(all), line: $0.line)
            }
            result.rows = all
            return result
        }
        var common = common
        common[node.text("cte_name").lowercased()] = flat([left])
        let right = try query(second, outer: outer, common: common)
        return flat([left, right])
    }

    // MARK: What is known of moments

    func order(of relation: Relation, _ outer: LineageScope?, _ more: [OrderConstraint] = []) -> TimeOrder {
        LineageScope(relation, outer: outer, common: [:]).order(more)
    }

    /// Retells dependencies without the symbols of rows that are now behind an aggregate.
    func forget(_ dependencies: [Dependency], _ inner: Set<Int>, _ order: TimeOrder, _ why: String) -> [Dependency] {
        dependencies.map { dependency in
            guard case .by(let moments) = dependency.known, !moments.isDisjoint(with: inner) else { return dependency }
            let bounds = moments.flatMap { order.bounds(of: $0) { !inner.contains($0) } }
            var copy = dependency
            if bounds.isEmpty {
                copy.known = .never
                copy.loss = dependency.loss ?? why
                copy.mayBeEmpty =
                    dependency.mayBeEmpty
                    ?? moments.lazy.compactMap { order.emptyColumn(before: $0) { !inner.contains($0) } }.first
            } else {
                copy.known = .by(Set(bounds))
            }
            return copy
        }.unique
    }
}

extension Set<SymbolicTime> {
    fileprivate func isDisjoint(with symbols: Set<Int>) -> Bool { !contains { symbols.contains($0.symbol) } }
}

/// Name resolution scope of an expression: the columns of the present rows, then those of enclosing queries.
final class LineageScope {
    var relation: Relation
    let outer: LineageScope?
    let common: [String: Relation]
    /// Conditions that hold where the expression is evaluated (a branch of CASE, a FILTER).
    var guards: [OrderConstraint] = []
    /// Items of the SELECT list by alias.
    var aliases: [String: SyntaxNode] = [:]
    private(set) var open: Set<String> = []
    /// Parameters of lambdas around.
    var parameters: Set<String> = []
    /// Set in a query with GROUP BY: the rows before grouping, and what each expression of the GROUP BY became.
    var grouping: Grouping?
    /// What COLUMNS(...) stands for at the moment.
    var column: LineageValue?

    struct Grouping {
        var inner: LineageScope
        var keys: [String: LineageValue]
        /// What the keys depend on, where they are not settled by the other ones.
        var keyConditions: [Dependency] = []
        /// Symbols of `max(…)` over a group.
        var maxima: [String: Int] = [:]
        /// Symbols of the rows before grouping that differ within a group.
        var hidden: Set<Int>
    }

    init(_ relation: Relation, outer: LineageScope?, common: [String: Relation]) {
        self.relation = relation
        self.outer = outer
        self.common = common
    }

    func order(_ more: [OrderConstraint] = [], with others: [Relation] = []) -> TimeOrder {
        var facts = more
        var instances: [Relation.Instance] = []
        var optional: [Int: Set<Int>] = [:]
        var nullable: [Int: String] = [:]
        func take(_ relation: Relation) {
            facts += relation.facts
            instances += relation.instances
            optional.merge(relation.outer) { $0.union($1) }
            nullable.merge(relation.nullable) { old, _ in old }
        }
        var scope: LineageScope? = self
        while let here = scope {
            facts += here.guards
            take(here.relation)
            scope = here.outer
        }
        for relation in others { take(relation) }
        return TimeOrder(facts: facts, instances: instances, outer: optional, nullable: nullable)
    }

    /// Evaluates what an alias stands for, once: an alias inside of its own item means something else.
    func opening<T>(_ alias: String, _ body: () throws -> T) rethrows -> T? {
        guard open.insert(alias).inserted else { return nil }
        defer { open.remove(alias) }
        return try body()
    }

    func with<T>(_ facts: [OrderConstraint], _ body: () throws -> T) rethrows -> T {
        let before = guards
        guards += facts
        defer { guards = before }
        return try body()
    }
}
