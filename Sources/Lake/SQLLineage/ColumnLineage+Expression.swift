internal import Core

extension ColumnLineage {
    func evaluate(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        depth += 1
        defer { depth -= 1 }
        guard depth < 400 else { throw failure("lineage.too-deep", "The expression nests too deeply.", node) }
        if let grouping = scope.grouping, node.kind != "CONSTANT", let key = grouping.keys[node.canonical] {
            return key
        }
        switch node.kind {
        case "CONSTANT": return constant(node)
        case "COLUMN_REF": return try column(node, scope)
        case "FUNCTION":
            if aggregates.contains(node.function) { return try aggregate(node, scope) }
            return try call(node, scope)
        case "WINDOW": return try window(node, scope)
        case "SUBQUERY": return try subquery(node, scope)
        case "COMPARISON": return try comparison(node, scope)
        case "BETWEEN": return try between(node, scope)
        case "CONJUNCTION":
            let parts = try node.list("children").map { try evaluate($0, scope) }
            return node.type == "CONJUNCTION_OR" ? either(parts, scope) : all(parts, scope)
        case "CASE": return try cases(node, scope)
        case "CAST": return try cast(node, scope)
        case "COLLATE": return try node["child"].map { try evaluate($0, scope) } ?? LineageValue()
        case "OPERATOR": return try operation(node, scope)
        case "LAMBDA":
            // Not as an argument of a function over lists: the arrow that reads JSON.
            let parts = try ["lhs", "expr"].compactMap { node[$0] }.map { try evaluate($0, scope) }
            return LineageValue(parts.flatMap(\.dependencies).unique)
        case "STAR":
            if let column = scope.column { return column }
            return LineageValue(try starred(node, scope).flatMap(\.value.dependencies).unique)
        case "PARAMETER", "DEFAULT", "LAMBDA_REF": return LineageValue()
        default: break
        }
        return LineageValue(everything(scope))
    }

    private func constant(_ node: SyntaxNode) -> LineageValue {
        var value = LineageValue()
        if node["value"]?.flag("is_null") == true {
            value.constant = .null
        } else if let number = node.number {
            value.constant = .number(number)
        } else if let text = node.string {
            value.constant = .text(text)
        }
        return value
    }

    // MARK: Names

    private func column(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        let names = node.texts("column_names")
        guard let first = names.first else { return LineageValue(everything(scope)) }
        var level: LineageScope? = scope
        while let here = level {
            if here.parameters.contains(first.lowercased()) { return LineageValue() }
            if let grouping = here.grouping {
                if let found = find(names, in: grouping.inner.relation) {
                    if let moment = found.moment, moment.shift == 0,
                        let key = grouping.keys.values.first(where: { $0.moment == moment })
                    {
                        var value = found
                        value.dependencies = key.dependencies
                        return value
                    }
                    return hiding(found, grouping)
                }
            } else if let found = find(names, in: here.relation) {
                return found
            }
            if names.count == 1, let item = here.aliases[first.lowercased()],
                let value = try here.opening(first.lowercased(), { try evaluate(item, here) })
            {
                return value
            }
            level = here.outer
        }
        level = scope
        while let here = level {
            let relation = here.grouping?.inner.relation ?? here.relation
            if let rest = relation.rest { return rest }
            level = here.outer
        }
        // An alias that is being read already (a correlated name), or one that only DuckDB can tell.
        return LineageValue(everything(scope))
    }

    /// The column of a name, qualified or not, perhaps with members of a struct behind it.
    private func find(_ names: [String], in relation: Relation) -> LineageValue? {
        func member(_ value: LineageValue, _ path: ArraySlice<String>) -> LineageValue {
            guard let name = path.first else { return value }
            if let field = value.fields[name.lowercased()] { return member(field, path.dropFirst()) }
            return LineageValue(value.dependencies)
        }
        let lower = names.map { $0.lowercased() }
        for skipped in 0..<min(3, lower.count) where skipped + 1 < lower.count {
            let (table, name) = (lower[skipped], lower[skipped + 1])
            if let column = relation.columns.first(where: {
                $0.table?.lowercased() == table && $0.name.lowercased() == name
            }) {
                return member(column.value, names[(skipped + 2)...])
            }
        }
        if let column = relation.columns.first(where: { !$0.isMerged && $0.name.lowercased() == lower[0] }) {
            return member(column.value, names[1...])
        }
        // The name of a table stands for its whole row.
        let row = relation.columns.filter { $0.table?.lowercased() == lower[0] }
        if names.count == 1, !row.isEmpty {
            var value = LineageValue(row.flatMap(\.value.dependencies).unique)
            for column in row { value.fields[column.name.lowercased()] = column.value }
            return value
        }
        return nil
    }

    private func hiding(_ value: LineageValue, _ grouping: LineageScope.Grouping) -> LineageValue {
        var value = value
        value.dependencies = forget(value.dependencies, grouping.hidden, grouping.inner.order(), "of a group")
        if let moment = value.moment, grouping.hidden.contains(moment.symbol) { value.moment = nil }
        return value
    }

    // MARK: CASE

    private func cases(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        var result = LineageValue()
        var refused: [OrderConstraint] = []
        var branches: [(value: LineageValue, facts: [OrderConstraint])] = []
        for check in node.list("case_checks") {
            guard let when = check["when_expr"], let then = check["then_expr"] else { continue }
            let condition = try condition(when, scope)
            result.dependencies += guarded(condition.dependencies, by: refused, scope)
            let facts = refused + condition.whenTrue
            let value = try scope.with(facts) { try evaluate(then, scope) }
            branches.append((value, facts))
            refused += condition.unlessTrue
        }
        if let otherwise = node["else_expr"] {
            branches.append((try scope.with(refused) { try evaluate(otherwise, scope) }, refused))
        }
        for branch in branches {
            result.dependencies += guarded(branch.value.dependencies, by: branch.facts, scope)
        }
        result.dependencies = result.dependencies.unique
        let values = branches.map { (dated($0.value, like: nil), $0.facts) }.filter { $0.0.constant != .null }
        result.moment = oneOf(values, scope, orNull: values.count < branches.count || node["else_expr"] == nil)
        return result
    }

    /// A moment that is one of several: not after whatever none of them is after.
    /// - Parameters:
    ///   - orNull: Or none of them.
    ///   - skipsNull: It is null only where all of them are.
    func oneOf(
        _ values: [(value: LineageValue, facts: [OrderConstraint])], _ scope: LineageScope, orNull: Bool = false,
        skipsNull: Bool = false
    ) -> SymbolicTime? {
        guard let first = values.first?.value, let unit = values.first?.value.unit, first.moment != nil,
            values.allSatisfy({ $0.value.moment != nil && $0.value.unit == unit })
        else { return nil }
        if values.count == 1, values[0].facts.isEmpty, !orNull { return first.moment }
        var shared: [Int: Int64]?
        var isThere: [Bool] = []
        for (value, facts) in values {
            guard let moment = value.moment else { return nil }
            let order = scope.order(facts)
            isThere.append(order.isThere(moment.symbol))
            var bounds: [Int: Int64] = [moment.symbol: moment.shift]
            for bound in order.bounds(of: moment, whereThere: true, where: { $0 != moment.symbol }) {
                bounds[bound.symbol] = bound.shift
            }
            shared =
                shared.map { old in
                    old.reduce(into: [:]) { result, entry in
                        if let other = bounds[entry.key] { result[entry.key] = max(entry.value, other) }
                    }
                } ?? bounds
        }
        let mayBeNull = orNull || !(skipsNull ? isThere.contains(true) : isThere.allSatisfy(\.self))
        let symbol = scope.relation.newSymbol(symbols, mayBeNull: mayBeNull)
        for (other, shift) in shared ?? [:] {
            scope.relation.facts.append(OrderConstraint(SymbolicTime(symbol), notAfter: SymbolicTime(other, shift)))
        }
        return SymbolicTime(symbol)
    }

    // MARK: Operators

    private func operation(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        let children = node.list("children")
        switch node.type {
        case "OPERATOR_NOT":
            guard let child = children.first else { break }
            var value = try evaluate(child, scope)
            swap(&value.whenTrue, &value.whenFalse)
            swap(&value.unlessFalse, &value.unlessTrue)
            value.moment = nil
            return value
        case "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL":
            let values = try children.map { try evaluate($0, scope) }
            var result = LineageValue(
                values.flatMap(\.dependencies).map { dependency in
                    var copy = dependency
                    if dependency.availability.isLater, dependency.loss == nil { copy.isPresence = true }
                    return copy
                }.unique)
            let there = values.compactMap(\.moment).map { OrderConstraint($0, notAfter: $0, .certain) }
            if node.type == "OPERATOR_IS_NULL" {
                (result.whenFalse, result.unlessTrue) = (there, there)
            } else {
                (result.whenTrue, result.unlessFalse) = (there, there)
            }
            return result
        case "OPERATOR_COALESCE":
            let values = try children.map { dated(try evaluate($0, scope), like: nil) }
            var result = LineageValue(values.flatMap(\.dependencies).unique)
            result.moment = oneOf(values.map { ($0, []) }, scope, skipsNull: true)
            if let latest = result.moment, let first = values.first?.moment, first.symbol != latest.symbol {
                // What is not after any of them is not after the one that is taken.
                let order = scope.order()
                for low in values.dropFirst().compactMap(\.moment)
                where values.allSatisfy({ $0.moment.map { order.proves(low, notAfter: $0) } ?? false }) {
                    scope.relation.facts.append(OrderConstraint(low, notAfter: latest))
                }
                // Where the first is there, it is the value.
                scope.relation.facts.append(OrderConstraint(first, notAfter: latest, .highIfLow))
            }
            result.unit = values.first?.unit ?? 1
            return result
        case "STRUCT_EXTRACT":
            guard children.count == 2, let name = children[1].string else { break }
            let value = try evaluate(children[0], scope)
            return value.fields[name.lowercased()] ?? LineageValue(value.dependencies)
        case "ARRAY_EXTRACT":
            guard children.count == 2 else { break }
            let value = try evaluate(children[0], scope)
            if let name = children[1].string, let field = value.fields[name.lowercased()] { return field }
            var result = LineageValue((value.dependencies + (try evaluate(children[1], scope)).dependencies).unique)
            result.fields = value.fields
            return result
        case "OPERATOR_UNPACK":
            return LineageValue(try children.flatMap { try evaluate($0, scope).dependencies }.unique)
        case "COMPARE_IN", "COMPARE_NOT_IN", "ARRAY_SLICE", "ARRAY_CONSTRUCTOR", "GROUPING_FUNCTION", "OPERATOR_TRY",
            "OPERATOR_NULLIF":
            break
        default:
            // An operator of a later DuckDB: its operands, if it has any in sight.
            if children.isEmpty { return LineageValue(everything(scope)) }
        }
        let values = try children.map { try evaluate($0, scope) }
        var result = LineageValue(values.flatMap(\.dependencies).unique)
        if node.type == "COMPARE_IN", values.count == 2 {
            result.whenTrue = sameness(values[0], values[1], .certain)
            result.unlessFalse = result.whenTrue.map(\.opened)
        }
        if node.type == "OPERATOR_TRY", values.count == 1 { return values[0] }
        return result
    }

    // MARK: Subqueries

    private func subquery(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        guard let inner = node.query else { return LineageValue(everything(scope)) }
        let relation = try query(inner, outer: scope, common: scope.common)
        let own = relation.owned
        switch node.text("subquery_type") {
        case "EXISTS", "NOT_EXISTS":
            let order = order(of: relation, scope)
            return LineageValue(forget(relation.rows.attached, own, order, "in EXISTS").strong)
        case "SCALAR":
            guard let column = relation.columns.first else { return LineageValue(everything(scope)) }
            // One row at most: like an outer join to it.
            let join = symbols.next()
            relation.makeOptional(join)
            scope.relation.absorb(relation)
            var value = column.value
            value.dependencies = (value.dependencies + relation.rows.attached.strong).unique
            value.whenTrue = []
            value.whenFalse = []
            value.unlessFalse = []
            value.unlessTrue = []
            return value
        default:
            guard let child = node["child"] else { return LineageValue(everything(scope)) }
            let value = try evaluate(child, scope)
            let candidates = relation.columns.filter { !$0.isMerged }
            var facts: [OrderConstraint] = []
            if node.text("comparison_type") == "COMPARE_EQUAL" {
                if candidates.count == 1 {
                    facts = sameness(candidates[0].value, value, .certain)
                } else if child.kind == "FUNCTION", child.function == "row" {
                    let parts = try child.list("children").map { try evaluate($0, scope) }
                    for (column, part) in zip(candidates, parts) { facts += sameness(column.value, part, .certain) }
                }
            }
            let order = order(of: relation, scope, facts)
            let seen = candidates.flatMap(\.value.dependencies) + relation.rows.attached
            return LineageValue((value.dependencies + forget(seen, own, order, "in a subquery").strong).unique)
        }
    }
}
