internal import Core

// What holds where a condition is true, false or null, and by when its answer is known.

extension ColumnLineage {
    /// Dependencies as they matter where some facts hold besides: each may be known by what those facts name.
    func guarded(_ dependencies: [Dependency], by facts: [OrderConstraint], _ scope: LineageScope) -> [Dependency] {
        guard !facts.isEmpty, !dependencies.isEmpty else { return dependencies }
        let named = Set(facts.flatMap { [$0.low, $0.high] })
        let order = scope.order(facts)
        return dependencies.map { dependency in
            guard case .by(let moments) = dependency.known else { return dependency }
            var more = moments
            for moment in moments where moment.symbol != SymbolicTime.origin {
                // Whether there is an end yet is known as well as whether it lies ahead.
                let asks = dependency.isPresence
                for bound in order.bounds(
                    of: moment, whereThere: asks, where: { $0 != moment.symbol && named.contains($0) })
                {
                    more.insert(bound)
                }
                // The moment itself may be among the facts: then the bounds are of the others.
                for symbol in named where symbol != moment.symbol {
                    more.formUnion(order.bounds(of: moment, whereThere: asks) { $0 == symbol })
                }
            }
            var copy = dependency
            copy.known = .by(more)
            if copy.mayBeEmpty == nil {
                copy.mayBeEmpty =
                    moments.lazy.compactMap { moment in
                        order.emptyColumn(before: moment) { $0 != moment.symbol && named.contains($0) }
                    }.first
            }
            return copy
        }
    }

    /// A condition of which nothing is asked but whether it is true: there null is as good as false.
    func condition(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
        if let grouping = scope.grouping, grouping.keys[node.canonical] != nil { return try evaluate(node, scope) }
        depth += 1
        defer { depth -= 1 }
        guard depth < 400 else { throw failure("lineage.too-deep", "The expression nests too deeply.", node) }
        switch node.kind {
        case "CONJUNCTION":
            let parts = try node.list("children").map { try condition($0, scope) }
            return node.type == "CONJUNCTION_OR" ? either(parts, scope) : all(parts, scope, isCondition: true)
        case "BETWEEN": return try between(node, scope, isCondition: true)
        default: return try evaluate(node, scope)
        }
    }

    func between(_ node: SyntaxNode, _ scope: LineageScope, isCondition: Bool = false) throws -> LineageValue {
        guard let input = node["input"], let lower = node["lower"], let upper = node["upper"] else {
            return LineageValue(everything(scope))
        }
        let value = try evaluate(input, scope)
        let low = compare(try evaluate(lower, scope), value, "COMPARE_LESSTHANOREQUALTO", scope)
        let high = compare(value, try evaluate(upper, scope), "COMPARE_LESSTHANOREQUALTO", scope)
        return all([low, high], scope, isCondition: isCondition)
    }

    /// AND: each part matters only where the others are true; as a value, where they are null as well.
    func all(_ values: [LineageValue], _ scope: LineageScope, isCondition: Bool = false) -> LineageValue {
        var result = LineageValue()
        for (index, value) in values.enumerated() {
            let others = values.indices.filter { $0 != index }
                .flatMap { isCondition ? values[$0].whenTrue : values[$0].unlessFalse }
            result.dependencies += guarded(value.dependencies, by: others, scope)
        }
        result.dependencies = result.dependencies.unique
        result.whenTrue = values.flatMap(\.whenTrue)
        result.unlessFalse = values.flatMap(\.unlessFalse)
        result.whenFalse = shared(values.map(\.whenFalse), scope)
        result.unlessTrue = shared(values.map(\.unlessTrue), scope)
        return result
    }

    /// OR: each part matters only where none of the others is true.
    func either(_ values: [LineageValue], _ scope: LineageScope) -> LineageValue {
        var result = LineageValue()
        for (index, value) in values.enumerated() {
            let others = values.indices.filter { $0 != index }.flatMap { values[$0].unlessTrue }
            result.dependencies += guarded(value.dependencies, by: others, scope)
        }
        result.dependencies = result.dependencies.unique
        result.whenTrue = shared(values.map(\.whenTrue), scope)
        result.unlessFalse = shared(values.map(\.unlessFalse), scope)
        result.whenFalse = values.flatMap(\.whenFalse)
        result.unlessTrue = values.flatMap(\.unlessTrue)
        return result
    }

    /// What holds in every one of several cases.
    private func shared(_ cases: [[OrderConstraint]], _ scope: LineageScope) -> [OrderConstraint] {
        guard let first = cases.first, cases.count > 1, cases.allSatisfy({ !$0.isEmpty }) else {
            return cases.count == 1 ? cases[0] : []
        }
        let orders = cases.map { scope.order($0) }
        return first.compactMap { fact in
            var fact = fact
            let low = SymbolicTime(fact.low)
            var shift = fact.shift
            for order in orders.dropFirst() {
                guard let bound = order.bounds(of: low, whereThere: true, where: { $0 == fact.high }).first else {
                    return nil
                }
                shift = max(shift, bound.shift)
            }
            fact.shift = shift
            fact.isStrict = false
            fact.isEqual = false
            let isCertain = orders.allSatisfy { $0.isThere(fact.low) && $0.isThere(fact.high) }
            fact.presence = isCertain ? .certain : .open
            return fact
        }
    }

    func comparison(_ node: SyntaxNode, _ scope: LineageScope) throws -> LineageValue {
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
        func known(_ dependencies: [Dependency], _ own: SymbolicTime, at other: SymbolicTime) -> [Dependency] {
            dependencies.map { dependency in
                guard case .by(let moments) = dependency.known, other.symbol != own.symbol else { return dependency }
                guard
                    moments.contains(where: {
                        $0.symbol == own.symbol
                            || order.proves($0, notAfter: SymbolicTime(own.symbol), whereThere: true)
                    })
                else { return dependency }
                var copy = dependency
                copy.known = .by(moments.union([SymbolicTime(other.symbol, other.shift &- own.shift)]))
                return copy
            }
        }
        result.dependencies = (known(left.dependencies, a, at: b) + known(right.dependencies, b, at: a)).unique
        func fact(_ low: SymbolicTime, _ high: SymbolicTime, isStrict: Bool = false) -> [OrderConstraint] {
            [OrderConstraint(low, notAfter: high, isStrict: isStrict, .certain)]
        }
        switch type {
        case "COMPARE_LESSTHANOREQUALTO": result.holds(fact(a, b), otherwise: fact(b, a, isStrict: true))
        case "COMPARE_LESSTHAN": result.holds(fact(a, b, isStrict: true), otherwise: fact(b, a))
        case "COMPARE_GREATERTHANOREQUALTO": result.holds(fact(b, a), otherwise: fact(a, b, isStrict: true))
        case "COMPARE_GREATERTHAN": result.holds(fact(b, a, isStrict: true), otherwise: fact(a, b))
        case "COMPARE_EQUAL": result.holds(sameness(left, right, .certain), otherwise: [])
        case "COMPARE_NOTEQUAL": result.holds([], otherwise: sameness(left, right, .certain))
        case "COMPARE_NOT_DISTINCT_FROM": result.holds(sameness(left, right, .same), otherwise: [])
        case "COMPARE_DISTINCT_FROM": result.holds([], otherwise: sameness(left, right, .same))
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

    /// `high - low` against a number: how far apart the two are at least, and at the most.
    private func compare(_ span: TimeSpan, _ number: Double, _ type: String, into result: inout LineageValue) {
        guard abs(number) < 1e15 else { return }
        func apart(strictly: Bool) -> [OrderConstraint] {
            let (distance, isStrict) = span.atLeast(number, strictly: strictly)
            guard let shift = whole(distance.rounded(.down)) else { return [] }
            let low = SymbolicTime(span.low.symbol, span.low.shift &+ shift)
            return [OrderConstraint(low, notAfter: span.high, isStrict: isStrict, .certain)]
        }
        func near(strictly: Bool) -> [OrderConstraint] {
            let (distance, isStrict) = span.atMost(number, strictly: strictly)
            guard let shift = whole(distance.rounded(.up)) else { return [] }
            let high = SymbolicTime(span.high.symbol, span.high.shift &- shift)
            return [OrderConstraint(high, notAfter: span.low, isStrict: isStrict, .certain)]
        }
        switch type {
        case "COMPARE_GREATERTHANOREQUALTO": result.holds(apart(strictly: false), otherwise: near(strictly: true))
        case "COMPARE_GREATERTHAN": result.holds(apart(strictly: true), otherwise: near(strictly: false))
        case "COMPARE_LESSTHANOREQUALTO": result.holds(near(strictly: false), otherwise: apart(strictly: true))
        case "COMPARE_LESSTHAN": result.holds(near(strictly: true), otherwise: apart(strictly: false))
        case "COMPARE_EQUAL": result.holds(apart(strictly: false), otherwise: [])
        default: break
        }
    }
}

extension LineageValue {
    /// Of a condition that is null where a moment it compares is: what holds when it is true, and when it is false.
    fileprivate mutating func holds(_ facts: [OrderConstraint], otherwise: [OrderConstraint]) {
        whenTrue = facts
        unlessFalse = facts.map(\.opened)
        whenFalse = otherwise
        unlessTrue = otherwise.map(\.opened)
    }
}
