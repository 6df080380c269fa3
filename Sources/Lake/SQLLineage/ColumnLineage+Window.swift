// An aggregate looks at many rows. Those are other rows than the one at hand, so they get symbols of their own; what
// a group has in common, or what the frame of a window allows, ties them to it.

extension ColumnLineage {
    /// Aggregates that give one of the values they see.
    private static let picking: Set<String> = [
        "max", "min", "any_value", "first", "last", "arg_max", "arg_min", "argmax", "argmin", "max_by", "min_by",
        "arbitrary", "mode", "first_value", "last_value", "nth_value", "lag", "lead", "arg_min_null", "arg_max_null",
        "arg_min_nulls_last", "arg_max_nulls_last",
    ]

    /// Arguments of an aggregate, with its filter condition.
    private struct Arguments {
        var values: [LineageValue]
        /// Conditions, and what they depend on.
        var facts: [OrderConstraint] = []
        var conditions: [Dependency] = []
        var orders: [LineageValue] = []

        var dependencies: [Dependency] { values.flatMap(\.dependencies) + orders.flatMap(\.dependencies) }
    }

    private func arguments(_ node: SyntaxNode, _ scope: LineageScope) throws -> Arguments {
        var arguments = Arguments(values: [])
        if let condition = node["filter"] ?? node["filter_expr"] {
            let value = try self.condition(condition, scope)
            arguments.conditions += value.dependencies
            arguments.facts += value.whenTrue
        }
        let orders = (node["order_bys"]?.list("orders") ?? []) + node.list("arg_orders")
        try scope.with(arguments.facts) {
            for child in node.list("children") {
                // `sum(CASE WHEN c THEN x END)` is `sum(x) FILTER (WHERE c)`.
                if let (condition, result) = conditional(child, of: node) {
                    let value = try self.condition(condition, scope)
                    arguments.conditions += value.dependencies
                    arguments.facts += value.whenTrue
                    let inner = try result.map { part in try scope.with(value.whenTrue) { try evaluate(part, scope) } }
                    arguments.values.append(inner ?? LineageValue())
                } else {
                    arguments.values.append(try evaluate(child, scope))
                }
            }
            arguments.orders = try orders.compactMap { $0["expression"] }.map { try evaluate($0, scope) }
        }
        return arguments
    }

    /// The condition of an argument that counts for nothing unless it is true.
    private func conditional(_ child: SyntaxNode, of node: SyntaxNode) -> (SyntaxNode, SyntaxNode?)? {
        guard node.list("children").count == 1 else { return nil }
        if ["count_if", "countif"].contains(node.function) { return (child, nil) }
        guard child.kind == "CASE", let check = child.list("case_checks").first, child.list("case_checks").count == 1,
            let when = check["when_expr"], let then = check["then_expr"]
        else { return nil }
        let skipsNull: Set<String> = [
            "sum", "avg", "mean", "count", "min", "max", "median", "stddev", "stddev_samp", "stddev_pop", "var_samp",
            "var_pop", "variance", "quantile_cont", "quantile_disc", "quantile", "any_value", "fsum", "favg", "mode",
        ]
        guard let otherwise = child["else_expr"] else {
            return skipsNull.contains(node.function) ? (when, then) : nil
        }
        if skipsNull.contains(node.function), otherwise.kind == "CONSTANT",
            otherwise["value"]?.flag("is_null") == true || node.function == "sum" && otherwise.number == 0
        {
            return (when, then)
        }
        return nil
    }

    // MARK: GROUP BY

    func aggregate(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        guard let grouping = scope.grouping else {
            // An aggregate where none may stand, or one of a query further out.
            if let outer = scope.outer, outer.grouping != nil { return try aggregate(node, outer) }
            return LineageValue(
                try arguments(node, scope).dependencies.map { dependency in
                    var copy = dependency
                    if copy.known != .always { copy.known = .never }
                    return copy
                })
        }
        let inner = grouping.inner
        let arguments = try arguments(node, inner)
        let order = inner.order(arguments.facts)
        let hidden = inner.relation.owned.subtracting(scope.relation.owned)
        let seen = guarded(arguments.dependencies + inner.relation.rows.attached, by: arguments.facts, inner)
        var result = LineageValue(
            (forget(seen + arguments.conditions, hidden, order, "in \(node.function)(…)")
                + grouping.keyConditions).strong.valued)
        if Self.picking.contains(node.function), let first = arguments.values.first {
            result.moment = picked(first, hidden, order, scope, maximum: grouping.maxima[node.canonical])
            result.unit = first.unit
            result.fields = first.fields.mapValues { field in
                var copy = LineageValue(
                    forget(field.dependencies, hidden, order, "in \(node.function)(…)").strong.valued)
                copy.dependencies +=
                    forget(
                        inner.relation.rows.attached + arguments.conditions
                            + (arguments.values.dropFirst() + arguments.orders).flatMap(\.dependencies), hidden, order,
                        "in \(node.function)(…)"
                    ).strong.valued
                copy.moment = picked(field, hidden, order, scope, maximum: nil)
                return copy
            }
        }
        return result
    }

    /// The symbol of a moment that is picked out of many: not after what none of them is after.
    private func picked(
        _ value: LineageValue, _ hidden: Set<Int>, _ order: TimeOrder, _ scope: LineageScope, maximum: Int?
    ) -> SymbolicTime? {
        guard let moment = value.moment else { return nil }
        let symbol = maximum ?? scope.relation.newSymbol(symbols)
        for bound in order.bounds(of: moment, where: { !hidden.contains($0) }) where bound.symbol != symbol {
            scope.relation.facts.append(OrderConstraint(SymbolicTime(symbol), notAfter: bound))
        }
        return SymbolicTime(symbol)
    }

    // MARK: Windows

    func window(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        let relation = scope.relation
        let arguments = try arguments(node, scope)
        let partitions = try node.list("partitions").map { try evaluate($0, scope) }
        let orders = try node.list("orders").compactMap { $0["expression"] }.map { try evaluate($0, scope) }
        let own = try ["offset_expr", "default_expr", "start_expr", "end_expr"].compactMap { node[$0] }
            .map { try evaluate($0, scope) }
        let (twin, names) = relation.copy(symbols)
        var facts = partitions.flatMap { sameness($0, names($0), .same) }
        if let first = orders.first, let moment = first.moment,
            let reach = try reach(node, isUnique: isUnique(orders, partitions, relation, scope), scope)
        {
            facts.append(
                OrderConstraint(
                    names(moment), notAfter: SymbolicTime(moment.symbol, moment.shift &+ reach.shift),
                    isStrict: reach.isStrict, nullsStayAhead(node) ? .lowIfHigh : .open))
        }
        let conditions = arguments.facts.map { names($0) }
        let order = scope.order(facts + conditions, with: [twin])
        let seen = names(
            arguments.dependencies + arguments.conditions + relation.rows.attached
                + (orders + partitions).flatMap(\.dependencies))
        let name = node.function.isEmpty ? "a window" : node.function
        var result = LineageValue(forget(seen, twin.owned, order, "in \(name)(…) OVER").strong)
        if !["row_number", "rank", "dense_rank"].contains(node.function) {
            result.dependencies = result.dependencies.valued
        }
        result.dependencies =
            (result.dependencies + own.flatMap(\.dependencies)
            + (orders + partitions).flatMap(\.dependencies)).unique
        if Self.picking.contains(node.function), let first = arguments.values.first, first.moment != nil,
            node["default_expr"] == nil
        {
            result.moment = picked(names(first), twin.owned, order, scope, maximum: nil)
            result.unit = first.unit
        }
        return result
    }

    /// Whether the order tells any two rows of a partition apart.
    private func isUnique(
        _ orders: [LineageValue], _ partitions: [LineageValue], _ relation: Relation, _ scope: LineageScope
    ) -> Bool {
        guard let key = relation.rowKey, let first = orders.first?.moment else { return false }
        let order = scope.order()
        let told = [first.symbol] + partitions.compactMap { $0.moment?.symbol }
        return key.allSatisfy { symbol in told.contains { order.proves(symbol, equals: $0) } }
    }

    /// Whether the rows a window looks at are null in the first expression of the order only where the row at hand
    /// is: nulls come last in an order that rises, or first in one that falls.
    private func nullsStayAhead(_ node: SyntaxNode) -> Bool {
        guard let first = node.list("orders").first else { return false }
        return (first.type == "DESCENDING") != first.nullsLast
    }

    /// How far after the row at hand, by the first expression of the order, the rows stand that a window looks at;
    /// `nil`: any distance.
    private func reach(
        _ node: SyntaxNode, isUnique: Bool, _ scope: LineageScope
    ) throws -> (shift: Int64, isStrict: Bool)? {
        let isDescending = node.list("orders").first?.type == "DESCENDING"
        func steps(_ key: String) throws -> Double? {
            guard let expression = node[key] else { return nil }
            if case .number(let number)? = try evaluate(expression, scope).constant { return number }
            return .nan
        }
        switch node.type {
        case "WINDOW_ROW_NUMBER", "WINDOW_RANK", "WINDOW_RANK_DENSE":
            return isDescending ? nil : (0, false)
        case "WINDOW_LAG", "WINDOW_LEAD":
            let offset = try steps("offset_expr") ?? 1
            let looksBack = (node.type == "WINDOW_LAG") != isDescending ? offset >= 0 : offset <= 0
            guard looksBack else { return nil }
            return (0, isUnique && offset != 0)
        case "WINDOW_AGGREGATE", "WINDOW_FIRST_VALUE", "WINDOW_LAST_VALUE", "WINDOW_NTH_VALUE": break
        default: return nil
        }
        // Of the two ends of the frame the one that lies later in time; over a descending order that is the start.
        let edge = node.text(isDescending ? "start" : "end")
        let distance = try steps(isDescending ? "start_expr" : "end_expr")
        let isBehind = isDescending ? "FOLLOWING" : "PRECEDING"
        let excludes = ["CURRENT_ROW", "CURRENT ROW", "GROUP"].contains(node.text("exclude_clause"))
        if edge.hasPrefix("CURRENT_ROW") {
            return (0, node.text("exclude_clause") == "GROUP" || excludes && isUnique)
        }
        guard edge.hasPrefix("EXPR_") else {
            return edge == "UNBOUNDED_\(isBehind)" ? (0, false) : nil
        }
        let goesBack = edge.contains(isBehind)
        if edge.hasSuffix("RANGE") {
            guard let distance, !distance.isNaN, abs(distance) < 9e18 else { return goesBack ? (0, false) : nil }
            let shift = Int64(distance)
            return goesBack ? (-shift, distance > 0) : (shift, false)
        }
        guard goesBack else { return nil }
        let moves = distance.map { $0 >= 1 } ?? false
        return (0, moves && (edge.hasSuffix("GROUPS") || isUnique))
    }
}

extension [Dependency] {
    /// As part of a value: no longer a mere question of whether there is one.
    var valued: [Dependency] {
        map {
            var copy = $0
            copy.isPresence = false
            return copy
        }.unique
    }
}
