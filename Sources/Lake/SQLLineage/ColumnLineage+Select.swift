internal import Core

/// One item of a SELECT list, with stars and COLUMNS(…) expanded.
struct SelectItem {
    var name: String
    var node: SyntaxNode
    /// Set for a column that a star stands for.
    var value: LineageValue?
    /// What COLUMNS(…) stands for inside of the expression.
    var column: LineageValue?
}

extension ColumnLineage {
    func select(_ node: SyntaxNode, outer: LineageScope?, common: [String: Relation]) throws -> Relation {
        let relation = try from(node["from_table"], outer: outer, common: common)
        var scope = LineageScope(relation, outer: outer, common: common)
        for item in node.list("select_list") where !item.alias.isEmpty {
            scope.aliases[item.alias.lowercased()] = item
        }
        if let condition = node["where_clause"] { try filter(relation, condition, scope) }
        var items = try node.list("select_list").flatMap { try expand($0, scope) }
        if isGrouped(node) { scope = try group(node, scope, items) }
        if scope.grouping == nil, let condition = node["having"] { try filter(scope.relation, condition, scope) }
        var columns: [Relation.Column] = []
        for index in items.indices {
            scope.column = items[index].column
            let value = try items[index].value.map { regrouped($0, scope) } ?? evaluate(items[index].node, scope)
            scope.column = nil
            items[index].value = value
            columns.append(Relation.Column(name: items[index].name, value: value, line: line(items[index].node)))
        }
        let rest = scope.relation.rest
        let showsRest = node.list("select_list").contains { $0.contains { $0.kind == "STAR" } }
        if let condition = node["qualify"] { try filter(scope.relation, condition, scope) }
        if scope.grouping != nil, let condition = node["having"] { try filter(scope.relation, condition, scope) }
        try modify(scope.relation, node.list("modifiers"), scope, items: items)
        let result = scope.relation
        result.columns = columns
        result.rest = nil
        if showsRest, let rest { result.rest = rest }
        if items.contains(where: { $0.column != nil }) {
            // COLUMNS(…) inside of a function makes names of its own.
            result.rest = LineageValue(
                ((result.rest?.dependencies ?? [])
                    + zip(items, columns).filter { $0.0.column != nil }
                    .flatMap(\.1.value.dependencies)).unique)
        }
        return result
    }

    /// Keeps the rows for which a condition is true.
    func filter(_ relation: Relation, _ condition: SyntaxNode, _ scope: LineageScope) throws {
        let value = try self.condition(condition, scope)
        relation.facts += value.whenTrue
        relation.rows = (relation.rows + value.dependencies).unique
    }

    // MARK: Grouping

    private func isAggregate(_ node: SyntaxNode) -> Bool {
        node.kind == "FUNCTION" && aggregates.contains(node.function)
    }

    private func isGrouped(_ node: SyntaxNode) -> Bool {
        if !node.list("group_expressions").isEmpty || node.text("aggregate_handling") == "FORCE_AGGREGATES" {
            return true
        }
        if (node.raw["group_sets"] as? [Any])?.isEmpty == false { return true }
        let places = node.list("select_list") + [node["having"], node["qualify"]].compactMap(\.self)
        return places.contains { $0.contains(isAggregate) }
    }

    /// The scope in which the SELECT list of a query with GROUP BY is evaluated.
    private func group(_ node: SyntaxNode, _ scope: LineageScope, _ items: [SelectItem]) throws -> LineageScope {
        let inner = scope.relation
        var expressions: [(node: SyntaxNode, value: LineageValue?)] = []
        let visible = node.list("select_list")
        if node.text("aggregate_handling") == "FORCE_AGGREGATES" {
            for item in items where !item.node.contains(isAggregate) { expressions.append((item.node, item.value)) }
        }
        for expression in node.list("group_expressions") {
            if let number = expression.number, number >= 1, number <= Double(visible.count),
                visible.count == items.count
            {
                let item = items[Int(number) - 1]
                expressions.append((item.node, item.value))
            } else {
                expressions.append((expression, nil))
            }
        }
        var grouping = LineageScope.Grouping(inner: scope, keys: [:], hidden: [])
        let sets = (node.raw["group_sets"] as? [[Any]])?.map { $0.compactMap { ($0 as? Int) } } ?? []
        var keys: [Int] = []
        var values: [(String, LineageValue)] = []
        let grouped = Relation()
        for (index, expression) in expressions.enumerated() {
            var value = try expression.value ?? evaluate(expression.node, scope)
            let symbol = keySymbol(of: &value, expression.node, inner)
            // Under ROLLUP and the like a key may be left out: then it bounds nothing.
            if sets.count <= 1 || sets.allSatisfy({ $0.contains(index) }) { keys.append(symbol) }
            values.append((expression.node.canonical, value))
        }
        grouping.maxima = try foreseeMaxima(node, scope, grouped, isKeyed: !keys.isEmpty)
        let order = scope.order()
        var kept = Set(keys.flatMap { order.equals(of: $0) })
        var instances: [Relation.Instance] = []
        var isGrowing = true
        var waiting = inner.instances
        while isGrowing {
            isGrowing = false
            for (index, instance) in waiting.enumerated().reversed()
            where order.tells(instance) && instance.key.allSatisfy({ kept.contains($0) }) {
                // The key of these rows is one in each group, so all of the row is.
                kept.formUnion(instance.members.flatMap { order.equals(of: $0) + [$0] })
                instances.append(instance)
                waiting.remove(at: index)
                isGrowing = true
            }
        }
        let hidden = inner.owned.subtracting(kept)
        grouping.hidden = hidden
        grouped.owned.formUnion(inner.owned.intersection(kept))
        grouped.ownedJoins = inner.ownedJoins
        grouped.outer = inner.outer.filter { kept.contains($0.key) }
        grouped.nullable.merge(inner.nullable.filter { kept.contains($0.key) }) { old, _ in old }
        grouped.facts += inner.facts.filter { !hidden.contains($0.low) && !hidden.contains($0.high) }
        grouped.instances = instances
        if !keys.isEmpty {
            grouped.instances.append(
                Relation.Instance(shape: shape(of: node, "group"), key: keys, members: keys))
            grouped.rowKey = keys
            // Which rows a group has depends on what it is made by, unless the other keys settle that already.
            let settled = settledSymbols(keys, inner, order)
            let telling = try zip(expressions, values).filter { expression, _ in
                try !isSettled(expression.node, settled, scope)
            }.flatMap(\.1.1.dependencies)
            grouping.keyConditions = forget(telling, hidden, order, "of a group")
            let conditions = values.flatMap(\.1.dependencies).map { dependency in
                var copy = dependency
                copy.isWeak = true
                return copy
            }
            grouped.rows = forget(inner.rows.attached + conditions, hidden, order, "of a group")
        }
        for (text, value) in values {
            var value = value
            value.dependencies = forget(value.dependencies, hidden, order, "of a group")
            grouping.keys[text] = value
        }
        let result = LineageScope(grouped, outer: scope.outer, common: scope.common)
        result.aliases = scope.aliases
        result.grouping = grouping
        return result
    }

    /// Symbols of rows whose whole key is among the keys of the group.
    private func settledSymbols(_ keys: [Int], _ inner: Relation, _ order: TimeOrder) -> Set<Int> {
        let known = Set(keys.flatMap { order.equals(of: $0) })
        var settled: Set<Int> = []
        for instance in inner.instances where order.tells(instance) && instance.key.allSatisfy(known.contains) {
            settled.formUnion(instance.members.flatMap { order.equals(of: $0) + [$0] })
        }
        return settled
    }

    /// Whether an expression reads nothing but columns that are settled.
    private func isSettled(_ node: SyntaxNode, _ settled: Set<Int>, _ scope: LineageScope) throws -> Bool {
        if node.kind == "COLUMN_REF" {
            guard let moment = try evaluate(node, scope).moment else { return false }
            return settled.contains(moment.symbol)
        }
        if ["SUBQUERY", "STAR", "WINDOW"].contains(node.kind) { return false }
        return try node.expressions.allSatisfy { try isSettled($0, settled, scope) }
    }

    /// The symbol of a value that rows are grouped by.
    func keySymbol(of value: inout LineageValue, _ node: SyntaxNode, _ relation: Relation) -> Int {
        if let moment = value.moment, moment.shift == 0 { return moment.symbol }
        let symbol = relation.newSymbol(symbols)
        if let moment = value.moment {
            relation.facts.append(OrderConstraint(SymbolicTime(symbol), notAfter: moment, isEqual: true, .same))
        } else {
            value.moment = SymbolicTime(symbol)
        }
        return symbol
    }

    /// `max(ts)` of a group is not before any `ts` in it, so it bounds what the other aggregates see.
    private func foreseeMaxima(
        _ node: SyntaxNode, _ scope: LineageScope, _ grouped: Relation, isKeyed: Bool
    ) throws -> [String: Int] {
        var maxima: [String: Int] = [:]
        func look(_ expression: SyntaxNode) throws {
            if expression.kind == "FUNCTION", expression.function == "max", expression["filter"] == nil,
                let argument = expression.list("children").first,
                let moment = try evaluate(argument, scope).moment
            {
                // A group of a key has a row; the one group without a key may have none.
                let mayBeNull = !isKeyed || !scope.order().isThere(moment.symbol)
                let symbol = grouped.newSymbol(symbols, mayBeNull: mayBeNull)
                scope.relation.nullable[symbol] = grouped.nullable[symbol]
                scope.relation.facts.append(OrderConstraint(moment, notAfter: SymbolicTime(symbol), .highIfLow))
                maxima[expression.canonical] = symbol
            }
            if expression.kind != "SUBQUERY", expression.kind != "WINDOW" {
                for child in expression.expressions { try look(child) }
            }
        }
        for item in node.list("select_list") where item.contains(isAggregate) { try look(item) }
        return maxima
    }

    /// A column of a star in a query with GROUP BY.
    private func regrouped(_ value: LineageValue, _ scope: LineageScope) -> LineageValue {
        guard let grouping = scope.grouping else { return value }
        var value = value
        value.dependencies = forget(
            value.dependencies, grouping.hidden, grouping.inner.order(), "of a group")
        return value
    }

    // MARK: DISTINCT, ORDER BY, LIMIT

    func modify(
        _ relation: Relation, _ modifiers: [SyntaxNode], _ scope: LineageScope, items: [SelectItem]
    ) throws {
        var orders: [SyntaxNode] = []
        for modifier in modifiers where modifier.type == "ORDER_MODIFIER" { orders = modifier.list("orders") }
        func ordered(_ node: SyntaxNode) throws -> LineageValue {
            guard let expression = node["expression"] else { return LineageValue() }
            if let number = expression.number, number >= 1, number <= Double(items.count) {
                return items[Int(number) - 1].value ?? LineageValue()
            }
            if expression.kind == "COLUMN_REF", expression.texts("column_names").count == 1,
                let item = items.first(where: {
                    $0.name.lowercased() == expression.texts("column_names")[0].lowercased()
                }), let value = item.value
            {
                return value
            }
            if expression.kind == "STAR" {
                return LineageValue(items.flatMap { $0.value?.dependencies ?? [] }.unique)
            }
            return try evaluate(expression, scope)
        }
        for modifier in modifiers {
            switch modifier.type {
            case "ORDER_MODIFIER": break
            case "DISTINCT_MODIFIER":
                let targets = try modifier.list("distinct_on_targets").map { target in
                    try ordered(SyntaxNode(["expression": target.raw]) ?? target)
                }
                if targets.isEmpty {
                    distinct(relation, items.isEmpty ? relation.columns.map(\.value) : items.compactMap(\.value), scope)
                } else {
                    let rest = try orders.filter { order in
                        let value = try ordered(order)
                        return !targets.contains { $0.moment != nil && $0.moment == value.moment }
                    }
                    try choose(
                        relation, scope, equal: targets, by: rest.first.map { try ordered($0) },
                        ascending: rest.first?.type != "DESCENDING", nullsLast: rest.first?.nullsLast ?? false,
                        others: try orders.map { try ordered($0) }, "in DISTINCT ON")
                    relation.rowKey = nil
                }
            default:
                let bounds = try ["limit", "offset"].compactMap { modifier[$0] }.map { try evaluate($0, scope) }
                if modifier.type == "LIMIT_MODIFIER", let limit = modifier["limit"], limit.number == nil,
                    limit.kind == "CONSTANT"
                {
                    continue
                }
                relation.rows = (relation.rows + bounds.flatMap(\.dependencies)).unique
                try choose(
                    relation, scope, equal: [], by: orders.first.map { try ordered($0) },
                    ascending: modifier.type == "LIMIT_MODIFIER" && orders.first?.type != "DESCENDING",
                    nullsLast: orders.first?.nullsLast ?? false,
                    others: try orders.map { try ordered($0) }, "under LIMIT")
            }
        }
    }

    /// Rows are kept or dropped by what else there is: other rows with equal keys, and those before them in order.
    private func choose(
        _ relation: Relation, _ scope: LineageScope, equal: [LineageValue], by first: LineageValue?,
        ascending: Bool, nullsLast: Bool, others: [LineageValue], _ why: String
    ) throws {
        let (twin, names) = relation.copy(symbols)
        var facts = equal.flatMap { sameness($0, names($0), .same) }
        if ascending, let moment = first?.moment {
            facts.append(OrderConstraint(names(moment), notAfter: moment, nullsLast ? .lowIfHigh : .open))
        }
        let order = scope.order(facts, with: [twin])
        let seen = names(relation.rows.attached + others.flatMap(\.dependencies) + equal.flatMap(\.dependencies))
        relation.rows = (relation.rows + forget(seen, twin.owned, order, why).strong).unique
    }

    private func distinct(_ relation: Relation, _ values: [LineageValue], _ scope: LineageScope) {
        let order = scope.order()
        let keys = values.compactMap { $0.moment?.symbol }
        var kept = Set(keys.flatMap { order.equals(of: $0) })
        for instance in relation.instances where order.tells(instance) && instance.key.allSatisfy(kept.contains) {
            kept.formUnion(instance.members.flatMap { order.equals(of: $0) + [$0] })
        }
        let hidden = relation.owned.subtracting(kept)
        relation.rows = forget(relation.rows.attached, hidden, order, "in DISTINCT")
    }

    /// Facts that say that two values are the same.
    func sameness(_ a: LineageValue, _ b: LineageValue, _ presence: OrderConstraint.Presence) -> [OrderConstraint] {
        guard let one = a.moment, let two = b.moment, a.unit == b.unit else { return [] }
        return [OrderConstraint(one, notAfter: two, isEqual: true, presence)]
    }
}
