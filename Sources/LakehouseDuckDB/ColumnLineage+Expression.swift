internal import Lakehouse
internal import Vocabulary

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
        case "BETWEEN":
            guard let input = node["input"], let lower = node["lower"], let upper = node["upper"] else { break }
            let value = try evaluate(input, scope)
            let low = compare(try evaluate(lower, scope), value, "COMPARE_LESSTHANOREQUALTO", scope)
            let high = compare(value, try evaluate(upper, scope), "COMPARE_LESSTHANOREQUALTO", scope)
            return both([low, high], scope)
        case "CONJUNCTION":
            let parts = node.list("children")
            return node.type == "CONJUNCTION_OR" ? try either(parts, scope) : try all(parts, scope)
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

    // MARK: Conditions

    /// Dependencies as they matter where some facts hold besides: each may be known by what those facts name.
    func guarded(_ dependencies: [Dependency], by facts: [Fact], _ scope: LineageScope) -> [Dependency] {
        guard !facts.isEmpty, !dependencies.isEmpty else { return dependencies }
        let named = Set(facts.flatMap { [$0.low, $0.high] })
        let order = scope.order(facts)
        return dependencies.map { dependency in
            guard case .by(let moments) = dependency.known else { return dependency }
            var more = moments
            for moment in moments where moment.symbol != Moment.origin {
                for bound in order.bounds(of: moment, where: { $0 != moment.symbol && named.contains($0) }) {
                    more.insert(bound)
                }
                // The moment itself may be among the facts: then the bounds are of the others.
                for symbol in named where symbol != moment.symbol {
                    more.formUnion(order.bounds(of: moment) { $0 == symbol })
                }
            }
            var copy = dependency
            copy.known = .by(more)
            return copy
        }
    }

    func all(_ parts: [SyntaxNode], _ scope: LineageScope) throws -> LineageValue {
        both(try parts.map { try evaluate($0, scope) }, scope)
    }

    /// AND: each part matters only where the others are true.
    private func both(_ values: [LineageValue], _ scope: LineageScope) -> LineageValue {
        var result = LineageValue()
        for (index, value) in values.enumerated() {
            let others = values.indices.filter { $0 != index }.flatMap { values[$0].whenTrue }
            result.dependencies += guarded(value.dependencies, by: others, scope)
        }
        result.dependencies = result.dependencies.unique
        result.whenTrue = values.flatMap(\.whenTrue)
        result.whenFalse = shared(values.map(\.whenFalse), scope)
        return result
    }

    /// OR: each part matters only where the others are false.
    private func either(_ parts: [SyntaxNode], _ scope: LineageScope) throws -> LineageValue {
        let values = try parts.map { try evaluate($0, scope) }
        var result = LineageValue()
        for (index, value) in values.enumerated() {
            let others = values.indices.filter { $0 != index }.flatMap { values[$0].whenFalse }
            result.dependencies += guarded(value.dependencies, by: others, scope)
        }
        result.dependencies = result.dependencies.unique
        result.whenTrue = shared(values.map(\.whenTrue), scope)
        result.whenFalse = values.flatMap(\.whenFalse)
        return result
    }

    /// What holds in every one of several cases.
    private func shared(_ cases: [[Fact]], _ scope: LineageScope) -> [Fact] {
        guard let first = cases.first, cases.count > 1, cases.allSatisfy({ !$0.isEmpty }) else {
            return cases.count == 1 ? cases[0] : []
        }
        let orders = cases.dropFirst().map { scope.order($0) }
        return first.compactMap { fact in
            var fact = fact
            let low = Moment(fact.low)
            var shift = fact.shift
            for order in orders {
                guard let bound = order.bounds(of: low, where: { $0 == fact.high }).first else { return nil }
                shift = max(shift, bound.shift)
            }
            fact.shift = shift
            fact.isStrict = false
            fact.isEqual = false
            return fact
        }
    }

    private func comparison(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        guard let left = node["left"], let right = node["right"] else { return LineageValue(everything(scope)) }
        return compare(try evaluate(left, scope), try evaluate(right, scope), node.type, scope)
    }

    /// A comparison of moments is known at either of them: that something has not happened by then is a fact as well.
    func compare(
        _ left: LineageValue, _ right: LineageValue, _ type: String, _ scope: LineageScope
    ) -> LineageValue {
        var result = LineageValue()
        let left = dated(left, like: right)
        let right = dated(right, like: left)
        if let span = left.span ?? right.span {
            result.dependencies = (left.dependencies + right.dependencies).unique
            let other = left.span == nil ? left : right
            guard case .number(let number)? = other.constant else { return result }
            compare(span, number, left.span == nil ? flipped(type) : type, into: &result)
            return result
        }
        guard let a = left.moment, let b = right.moment, left.unit == right.unit else {
            result.dependencies = (left.dependencies + right.dependencies).unique
            return result
        }
        let order = scope.order()
        func known(_ dependencies: [Dependency], _ own: Moment, at other: Moment) -> [Dependency] {
            dependencies.map { dependency in
                guard case .by(let moments) = dependency.known, other.symbol != own.symbol else { return dependency }
                guard
                    moments.contains(where: {
                        $0.symbol == own.symbol || order.proves($0, notAfter: Moment(own.symbol))
                    })
                else { return dependency }
                var copy = dependency
                copy.known = .by(moments.union([Moment(other.symbol, other.shift &- own.shift)]))
                return copy
            }
        }
        result.dependencies = (known(left.dependencies, a, at: b) + known(right.dependencies, b, at: a)).unique
        switch type {
        case "COMPARE_LESSTHANOREQUALTO":
            result.whenTrue = [Fact(a, notAfter: b)]
            result.whenFalse = [Fact(b, notAfter: a, isStrict: true)]
        case "COMPARE_LESSTHAN":
            result.whenTrue = [Fact(a, notAfter: b, isStrict: true)]
            result.whenFalse = [Fact(b, notAfter: a)]
        case "COMPARE_GREATERTHANOREQUALTO":
            result.whenTrue = [Fact(b, notAfter: a)]
            result.whenFalse = [Fact(a, notAfter: b, isStrict: true)]
        case "COMPARE_GREATERTHAN":
            result.whenTrue = [Fact(b, notAfter: a, isStrict: true)]
            result.whenFalse = [Fact(a, notAfter: b)]
        case "COMPARE_EQUAL", "COMPARE_NOT_DISTINCT_FROM":
            result.whenTrue = [Fact(a, notAfter: b, isEqual: true)]
        case "COMPARE_NOTEQUAL", "COMPARE_DISTINCT_FROM":
            result.whenFalse = [Fact(a, notAfter: b, isEqual: true)]
        default: break
        }
        return result
    }

    private func flipped(_ type: String) -> String {
        switch type {
        case "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHANOREQUALTO"
        case "COMPARE_LESSTHAN": "COMPARE_GREATERTHAN"
        case "COMPARE_GREATERTHANOREQUALTO": "COMPARE_LESSTHANOREQUALTO"
        case "COMPARE_GREATERTHAN": "COMPARE_LESSTHAN"
        default: type
        }
    }

    /// `high - low` against a number: how far apart the two are at least.
    private func compare(_ span: LineageValue.Span, _ number: Double, _ type: String, into result: inout LineageValue) {
        guard abs(number) < 1e15 else { return }
        func apart(_ number: Double, strictly: Bool) -> [Fact] {
            // A count of boundaries overstates by less than one step.
            let steps = span.slack > 0 ? (strictly ? number.rounded(.down) + 1 : number.rounded(.up)) : number
            let distance = steps * Double(span.unit) - Double(span.slack)
            guard abs(distance) < 9e18 else { return [] }
            let shift = Int64(distance.rounded(.down))
            return [
                Fact(
                    Moment(span.low.symbol, span.low.shift &+ shift), notAfter: span.high,
                    isStrict: strictly || span.slack > 0)
            ]
        }
        func near(_ number: Double) -> [Fact] {
            let distance = number * Double(span.unit) + Double(span.slack)
            guard abs(distance) < 9e18 else { return [] }
            return [Fact(Moment(span.high.symbol, span.high.shift &- Int64(distance.rounded(.up))), notAfter: span.low)]
        }
        switch type {
        case "COMPARE_GREATERTHANOREQUALTO":
            result.whenTrue = apart(number, strictly: false)
            result.whenFalse = near(number)
        case "COMPARE_GREATERTHAN":
            result.whenTrue = apart(number, strictly: true)
            result.whenFalse = near(number)
        case "COMPARE_LESSTHANOREQUALTO":
            result.whenTrue = near(number)
            result.whenFalse = apart(number, strictly: true)
        case "COMPARE_LESSTHAN":
            result.whenTrue = near(number)
            result.whenFalse = apart(number, strictly: false)
        case "COMPARE_EQUAL": result.whenTrue = apart(number, strictly: false)
        default: break
        }
    }

    private func cases(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        var result = LineageValue()
        var refused: [Fact] = []
        var branches: [(value: LineageValue, facts: [Fact])] = []
        for check in node.list("case_checks") {
            guard let when = check["when_expr"], let then = check["then_expr"] else { continue }
            let condition = try evaluate(when, scope)
            result.dependencies += guarded(condition.dependencies, by: refused, scope)
            let facts = refused + condition.whenTrue
            let value = try scope.with(facts) { try evaluate(then, scope) }
            branches.append((value, facts))
            refused += condition.whenFalse
        }
        if let otherwise = node["else_expr"] {
            branches.append((try scope.with(refused) { try evaluate(otherwise, scope) }, refused))
        }
        for branch in branches {
            result.dependencies += guarded(branch.value.dependencies, by: branch.facts, scope)
        }
        result.dependencies = result.dependencies.unique
        let values = branches.map { (dated($0.value, like: nil), $0.facts) }.filter { $0.0.constant != .null }
        result.moment = oneOf(values, scope)
        return result
    }

    /// A moment that is one of several: not after whatever none of them is after.
    func oneOf(_ values: [(value: LineageValue, facts: [Fact])], _ scope: LineageScope) -> Moment? {
        guard let first = values.first?.value, let unit = values.first?.value.unit, first.moment != nil,
            values.allSatisfy({ $0.value.moment != nil && $0.value.unit == unit })
        else { return nil }
        if values.count == 1, values[0].facts.isEmpty { return first.moment }
        var shared: [Int: Int64]?
        for (value, facts) in values {
            guard let moment = value.moment else { return nil }
            var bounds: [Int: Int64] = [moment.symbol: moment.shift]
            for bound in scope.order(facts).bounds(of: moment, where: { $0 != moment.symbol }) {
                bounds[bound.symbol] = bound.shift
            }
            shared =
                shared.map { old in
                    old.reduce(into: [:]) { result, entry in
                        if let other = bounds[entry.key] { result[entry.key] = max(entry.value, other) }
                    }
                } ?? bounds
        }
        let symbol = scope.relation.newSymbol(symbols)
        for (other, shift) in shared ?? [:] {
            scope.relation.facts.append(Fact(Moment(symbol), notAfter: Moment(other, shift)))
        }
        return Moment(symbol)
    }

    // MARK: Operators

    private func operation(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        let children = node.list("children")
        switch node.type {
        case "OPERATOR_NOT":
            guard let child = children.first else { break }
            var value = try evaluate(child, scope)
            swap(&value.whenTrue, &value.whenFalse)
            value.moment = nil
            return value
        case "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL":
            let values = try children.map { try evaluate($0, scope) }
            return LineageValue(
                values.flatMap(\.dependencies).map { dependency in
                    var copy = dependency
                    if dependency.availability.isLater, dependency.loss == nil { copy.isPresence = true }
                    return copy
                }.unique)
        case "OPERATOR_COALESCE":
            let values = try children.map { dated(try evaluate($0, scope), like: nil) }
            var result = LineageValue(values.flatMap(\.dependencies).unique)
            result.moment = oneOf(values.map { ($0, []) }, scope)
            // Where the first is there, it is the value.
            if let symbol = result.moment?.symbol, let first = values.first?.moment, first.symbol != symbol {
                scope.relation.facts.append(Fact(first, notAfter: Moment(symbol)))
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
        if node.type == "COMPARE_IN", values.count == 2 { result.whenTrue = sameness(values[0], values[1]) }
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
            return value
        default:
            guard let child = node["child"] else { return LineageValue(everything(scope)) }
            let value = try evaluate(child, scope)
            let candidates = relation.columns.filter { !$0.isMerged }
            var facts: [Fact] = []
            if node.text("comparison_type") == "COMPARE_EQUAL" {
                if candidates.count == 1 {
                    facts = sameness(candidates[0].value, value)
                } else if child.kind == "FUNCTION", child.function == "row" {
                    let parts = try child.list("children").map { try evaluate($0, scope) }
                    for (column, part) in zip(candidates, parts) { facts += sameness(column.value, part) }
                }
            }
            let order = order(of: relation, scope, facts)
            let seen = candidates.flatMap(\.value.dependencies) + relation.rows.attached
            return LineageValue((value.dependencies + forget(seen, own, order, "in a subquery").strong).unique)
        }
    }
}
