internal import Core

extension ColumnLineage {
    /// The rows that a FROM clause gives.
    func from(_ node: SyntaxNode?, outer: LineageScope?, common: [String: Relation]) throws -> Relation {
        guard let node else { return Relation() }
        switch node.type {
        case "EMPTY": return Relation()
        case "BASE_TABLE": return try table(node, common: common)
        case "SUBQUERY":
            guard let inner = node.query else { break }
            let relation = try query(inner, outer: outer, common: common)
            return aliased(relation, node, name: node.alias)
        case "JOIN": return try join(node, outer: outer, common: common)
        case "TABLE_FUNCTION": return try function(node, outer: outer, common: common)
        case "EXPRESSION_LIST": return try values(node, outer: outer, common: common)
        case "PIVOT": return try pivot(node, outer: outer, common: common)
        default: break
        }
        throw failure("lineage.unknown", "The form \(node.type) of a table is not understood.", node)
    }

    private func table(_ node: SyntaxNode, common: [String: Relation]) throws -> Relation {
        let (schema, name) = (node.text("schema_name"), node.text("table_name"))
        if schema.isEmpty, let relation = common[name.lowercased()] {
            return aliased(relation.copy(symbols).relation, node, name: name)
        }
        guard let layer = Layer(rawValue: schema.lowercased()) else {
            throw failure("lineage.unknown-table", "There is no table \(schema).\(name).", node)
        }
        return aliased(try tables(TableName(layer, name)).copy(symbols).relation, node, name: name)
    }

    private func aliased(_ relation: Relation, _ node: SyntaxNode, name: String) -> Relation {
        let alias = node.alias.isEmpty ? name : node.alias
        relation.columns.removeAll { $0.isMerged }
        for index in relation.columns.indices { relation.columns[index].table = alias }
        rename(relation, node.texts("column_name_alias"))
        return relation
    }

    // MARK: Joins

    private func join(_ node: SyntaxNode, outer: LineageScope?, common: [String: Relation]) throws -> Relation {
        let left = try from(node["left"], outer: outer, common: common)
        // The right side may speak of the left one (LATERAL).
        let right = try from(
            node["right"], outer: LineageScope(left, outer: outer, common: common), common: common)
        let kind = node.text("join_type")
        var names = node.texts("using_columns")
        if node.text("ref_type") == "NATURAL" {
            let there = Set(right.columns.filter { !$0.isMerged }.map { $0.name.lowercased() })
            names = left.columns.filter { !$0.isMerged && there.contains($0.name.lowercased()) }.map(\.name)
        }
        let both = Relation()
        for side in [left, right] {
            both.absorb(side)
            both.columns += side.columns
            if let rest = side.rest {
                both.rest = LineageValue((both.rest?.dependencies ?? []) + rest.dependencies)
            }
        }
        let scope = LineageScope(both, outer: outer, common: common)
        var facts: [OrderConstraint] = []
        var conditions: [Dependency] = []
        for name in names {
            func find(_ relation: Relation) -> LineageValue? {
                relation.columns.first { !$0.isMerged && $0.name.lowercased() == name.lowercased() }?.value
            }
            guard let a = find(left), let b = find(right) else { continue }
            conditions += a.dependencies + b.dependencies
            facts += sameness(a, b, .certain)
        }
        if let condition = node["condition"] {
            let value = try self.condition(condition, scope)
            conditions += value.dependencies
            facts += value.whenTrue
        }
        conditions = conditions.unique
        // Evaluating the condition may have made symbols: they belong to the joined rows.
        let made = both.owned.subtracting(left.owned).subtracting(right.owned)
        let madeFacts = Array(both.facts[(left.facts.count + right.facts.count)...])
        if node.text("ref_type") == "POSITIONAL" {
            let all = both.columns.flatMap(\.value.dependencies) + left.rows + right.rows
            both.rows = forget(all, both.owned, scope.order(), "beside each other in a POSITIONAL JOIN").strong
            return both
        }
        switch kind {
        case "SEMI", "ANTI":
            let order = scope.order(facts)
            let hidden = right.owned.union(made)
            left.rows =
                (left.rows
                + forget(conditions + right.rows.attached, hidden, order, "in a \(kind) JOIN").strong).unique
            return left
        case "LEFT", "SINGLE": return outerJoin(left, right, both, facts + madeFacts, conditions, names, [right])
        case "RIGHT": return outerJoin(left, right, both, facts + madeFacts, conditions, names, [left])
        case "OUTER", "FULL":
            return outerJoin(left, right, both, facts + madeFacts, conditions, names, [left, right])
        default:
            both.facts += facts
            both.rows = (left.rows + right.rows + conditions).unique
            both.rowKey = rowKey(left, right, scope.order())
            merge(both, left, names)
            return both
        }
    }

    /// Rows of one side that may find none on the other: there the other side's columns are null, and that they are
    /// tells of the condition and of the rows that were looked for.
    private func outerJoin(
        _ left: Relation, _ right: Relation, _ both: Relation, _ facts: [OrderConstraint], _ conditions: [Dependency],
        _ names: [String], _ optional: [Relation]
    ) -> Relation {
        let result = Relation()
        let made = both.owned.subtracting(left.owned).subtracting(right.owned)
        var joins: Set<Int> = []
        let key = rowKey(
            left, right,
            TimeOrder(
                facts: both.facts + facts, instances: both.instances, outer: both.outer, nullable: both.nullable))
        for side in optional {
            let join = symbols.next()
            joins.insert(join)
            side.makeOptional(join)
            let match = (side.rows.attached + conditions).map { dependency in
                var copy = dependency
                copy.isControl = true
                return copy
            }.unique
            for index in side.columns.indices {
                side.columns[index].value.dependencies = (side.columns[index].value.dependencies + match).unique
            }
            if let rest = side.rest { side.rest = LineageValue((rest.dependencies + match).unique) }
        }
        for side in [left, right] {
            result.absorb(side)
            result.columns += side.columns
            if let rest = side.rest {
                result.rest = LineageValue((result.rest?.dependencies ?? []) + rest.dependencies)
            }
        }
        result.facts += facts.map {
            var fact = $0
            fact.joins.formUnion(joins)
            return fact
        }
        result.owned.formUnion(made)
        result.ownedJoins.formUnion(joins)
        for symbol in made {
            result.outer[symbol, default: []].formUnion(joins)
            result.nullable[symbol] = both.nullable[symbol]
        }
        let weak = (left.rows + right.rows + conditions).map { dependency in
            var copy = dependency
            copy.isWeak = true
            return copy
        }
        let firm = [left, right].filter { side in !optional.contains { $0 === side } }.flatMap(\.rows)
        result.rows = (firm + weak).unique
        if optional.count == 1, optional[0] === right { result.rowKey = key }
        merge(
            result, left, names, isFull: optional.count == 2, prefersRight: optional.count == 1 && optional[0] === left)
        return result
    }

    /// Shows the columns of USING once.
    private func merge(
        _ both: Relation, _ left: Relation, _ names: [String], isFull: Bool = false, prefersRight: Bool = false
    ) {
        for name in names.map({ $0.lowercased() }) {
            let places = both.columns.indices.filter {
                !both.columns[$0].isMerged && both.columns[$0].name.lowercased() == name
            }
            guard let first = places.first, let second = places.last, first != second, second >= left.columns.count
            else { continue }
            if isFull {
                both.columns[first].value = LineageValue(
                    (both.columns[first].value.dependencies + both.columns[second].value.dependencies).unique)
            } else if prefersRight {
                both.columns[first].value = both.columns[second].value
            }
            both.columns[second].isMerged = true
        }
    }

    /// What tells the joined rows apart: the left key alone where at most one row of the right fits.
    private func rowKey(_ left: Relation, _ right: Relation, _ order: TimeOrder) -> [Int]? {
        guard let one = left.rowKey, let two = right.rowKey else { return nil }
        func isMet(_ key: [Int], by side: Relation) -> Bool {
            key.allSatisfy { symbol in order.equals(of: symbol).contains { side.owned.contains($0) } }
        }
        if isMet(two, by: left) { return one }
        if isMet(one, by: right) { return two }
        return one + two
    }

    // MARK: Other tables

    private func function(_ node: SyntaxNode, outer: LineageScope?, common: [String: Relation]) throws -> Relation {
        let relation = Relation()
        guard let call = node["function"] else { return relation }
        let scope = LineageScope(relation, outer: outer, common: common)
        let arguments = try call.list("children").map { try evaluate($0, scope) }
        var value = LineageValue(arguments.flatMap(\.dependencies).unique)
        if ["range", "generate_series"].contains(call.function) {
            let symbol = relation.newSymbol(symbols, mayBeNull: false)
            value.moment = SymbolicTime(symbol)
            let ends = arguments.count > 1 ? (arguments[0].moment, arguments[1].moment) : (nil, nil)
            if let start = ends.0, arguments.count > 1, arguments[1].moment != nil {
                relation.facts.append(OrderConstraint(start, notAfter: SymbolicTime(symbol), .certain))
            }
            if let stop = ends.1 {
                relation.facts.append(OrderConstraint(SymbolicTime(symbol), notAfter: stop, .certain))
            }
        }
        relation.rows = value.dependencies
        var names = [call.function]
        if call.function.hasPrefix("json_") {
            names = ["key", "value", "type", "atom", "id", "parent", "fullkey", "path"]
        }
        names += node.texts("column_name_alias").dropFirst(names.count)
        if node.text("with_ordinality") == "WITH_ORDINALITY" { names.append("ordinality") }
        relation.columns = names.map {
            Relation.Column(name: $0, value: $0 == names[0] ? value : LineageValue(value.dependencies))
        }
        relation.rest = LineageValue(value.dependencies)
        let single = names.count == 1
        let result = aliased(relation, node, name: call.function)
        // `unnest(…) AS x` names the column as well as the table.
        if single, !node.alias.isEmpty, node.texts("column_name_alias").isEmpty {
            result.columns[0].name = node.alias
        }
        return result
    }

    private func values(_ node: SyntaxNode, outer: LineageScope?, common: [String: Relation]) throws -> Relation {
        let relation = Relation()
        let scope = LineageScope(relation, outer: outer, common: common)
        let rows = (node.raw["values"] as? [[Any]] ?? []).map { $0.compactMap { SyntaxNode($0) } }
        for (index, _) in (rows.first ?? []).enumerated() {
            let cells = try rows.compactMap { $0.indices.contains(index) ? try evaluate($0[index], scope) : nil }
            relation.columns.append(
                Relation.Column(
                    name: "col\(index)",
                    value: LineageValue(
                        cells.flatMap(\.dependencies).unique, moment: SymbolicTime(relation.newSymbol(symbols)))))
        }
        return aliased(relation, node, name: node.alias.isEmpty ? "valueslist" : node.alias)
    }

    private func pivot(_ node: SyntaxNode, outer: LineageScope?, common: [String: Relation]) throws -> Relation {
        let source = try from(node["source"], outer: outer, common: common)
        let scope = LineageScope(source, outer: outer, common: common)
        let pivots = node.list("pivots")
        if node.list("aggregates").isEmpty { return try unpivot(node, source, pivots, scope) }
        // A pivot groups by its GROUP BY, or by every column that it does not name.
        var used: Set<String> = []
        func note(_ expression: SyntaxNode) {
            if expression.kind == "COLUMN_REF", let name = expression.texts("column_names").last {
                used.insert(name.lowercased())
            }
            for child in expression.expressions { note(child) }
        }
        let heads = pivots.flatMap { $0.list("pivot_expressions") }
        for expression in node.list("aggregates") + heads { note(expression) }
        let groups = Set(node.texts("groups").map { $0.lowercased() })
        let keys = source.columns.filter {
            groups.isEmpty ? !used.contains($0.name.lowercased()) : groups.contains($0.name.lowercased())
        }
        let order = scope.order()
        let kept = Set(keys.compactMap { $0.value.moment?.symbol }.flatMap { order.equals(of: $0) })
        let hidden = source.owned.subtracting(kept)
        let cells = try (node.list("aggregates") + heads).flatMap { try evaluate($0, scope).dependencies }
        let pivoted = forget(cells + source.rows.attached, hidden, order, "in PIVOT").strong
        let result = Relation()
        result.absorb(source)
        result.facts = source.facts.filter { !hidden.contains($0.low) && !hidden.contains($0.high) }
        result.rows = forget(source.rows.attached, hidden, order, "in PIVOT")
        result.columns = keys.map { column in
            var column = column
            column.value.dependencies = forget(column.value.dependencies, hidden, order, "in PIVOT")
            return column
        }
        result.rest = LineageValue(pivoted)
        let labels = pivots.map { pivot in
            pivot.list("entries").map { entry in
                entry.alias.isEmpty
                    ? entry.list("values").map { "\($0.raw["value"] ?? "")" }.joined(separator: "_") : entry.alias
            }
        }
        var combined = [""]
        for list in labels { combined = combined.flatMap { a in list.map { a.isEmpty ? $0 : "\(a)_\($0)" } } }
        for name in combined where combined.count <= 1000 {
            for aggregate in node.list("aggregates") {
                let suffix = aggregate.alias.isEmpty ? "" : "_\(aggregate.alias)"
                result.columns.append(Relation.Column(name: name + suffix, value: LineageValue(pivoted)))
            }
        }
        return aliased(result, node, name: node.alias)
    }

    private func unpivot(
        _ node: SyntaxNode, _ source: Relation, _ pivots: [SyntaxNode], _ scope: LineageScope
    ) throws -> Relation {
        var folded: Set<String> = []
        var cells: [Dependency] = []
        for entry in pivots.flatMap({ $0.list("entries") }) {
            if let star = entry["star_expr"] {
                for item in try expand(star, scope) {
                    folded.insert(item.name.lowercased())
                    cells += try item.value?.dependencies ?? evaluate(item.node, scope).dependencies
                }
            }
            for value in entry.list("values") {
                let name = "\(value.raw["value"] ?? "")".lowercased()
                folded.insert(name)
                cells += source.columns.first { $0.name.lowercased() == name }?.value.dependencies ?? everything(scope)
            }
        }
        // A missing cell makes no row, so that there is one tells of the cell.
        source.rows = (source.rows + cells).unique
        source.columns.removeAll { folded.contains($0.name.lowercased()) }
        for name in pivots.flatMap({ $0.texts("unpivot_names") }) {
            source.columns.append(Relation.Column(name: name, value: LineageValue(cells.unique)))
        }
        for name in node.texts("unpivot_names") {
            source.columns.append(Relation.Column(name: name, value: LineageValue(cells.unique)))
        }
        source.rowKey = nil
        return aliased(source, node, name: node.alias)
    }
}
