/// Solver that decides which symbolic times cannot be after others, given order constraints.
///
/// Constraints are differences (`low ≤ high + shift`), so a chain of them is a path and the tightest bound a shortest
/// path (Bellman and Ford). Symbols that equal keys make the same are one vertex.
///
/// A moment that is null counts as never: nothing but another null is as late. So a fact that only holds where both
/// are there may be used where its low one is: `event ≤ end` bounds the event by an end that may be null, and nothing
/// by way of that end until a condition on it was true.
package final class TimeOrder {
    /// An upper bound: not after the other symbol by more than `shift`.
    package struct Bound: Equatable {
        /// Microseconds added to the other symbol; negative when the bound lies before it.
        package var shift: Int64
        /// Whether the time is strictly before the other symbol plus `shift`.
        package var isStrict: Bool

        func isTighter(than other: Bound) -> Bool {
            shift != other.shift ? shift < other.shift : isStrict && !other.isStrict
        }
    }

    /// The assumptions under which the constraints are evaluated.
    private struct View: Hashable {
        /// Outer joins that found a row.
        var joins: Set<Int>
        /// A symbol that is not null.
        var present: Int?
        /// As if nothing were null.
        var isDaring = false
    }

    private let facts: [OrderConstraint]
    private let instances: [Relation.Instance]
    private let outer: [Int: Set<Int>]
    private let nullable: [Int: String]
    private var graphs: [View: Graph] = [:]

    package init(
        facts: [OrderConstraint], instances: [Relation.Instance], outer: [Int: Set<Int>], nullable: [Int: String]
    ) {
        self.facts = facts
        self.instances = instances
        self.outer = outer
        self.nullable = nullable
    }

    /// Whether `a` is provably not after `b`.
    /// - Parameter whereThere: Asked only of the rows in which `a` is not null.
    package func proves(_ a: SymbolicTime, notAfter b: SymbolicTime, strictly: Bool = false, whereThere: Bool = false)
        -> Bool
    {
        if a.symbol == b.symbol, strictly ? a.shift < b.shift : a.shift <= b.shift { return true }
        let graph = graph(for: a.symbol, whereThere)
        guard let bound = bounds(of: a.symbol, in: graph)[graph.find(b.symbol)] else { return false }
        let (total, overflow) = a.shift.addingReportingOverflow(bound.shift)
        return !overflow && (total < b.shift || (total == b.shift && (!strictly || bound.isStrict)))
    }

    /// Whether two symbols are provably equal wherever the first is not null.
    package func proves(_ a: Int, equals b: Int) -> Bool {
        let graph = graph(for: a, false)
        return graph.find(a) == graph.find(b)
    }

    /// Returns times that `moment` is provably not after, of visible symbols; one for each group of equals.
    /// - Parameter whereThere: Asked only of the rows in which `moment` is not null.
    package func bounds(of moment: SymbolicTime, whereThere: Bool = false, where isSeen: (Int) -> Bool)
        -> [SymbolicTime]
    {
        if isSeen(moment.symbol) { return [moment] }
        let graph = graph(for: moment.symbol, whereThere)
        return bounds(of: moment.symbol, in: graph).compactMap { vertex, bound in
            graph.members[vertex, default: [vertex]].filter(isSeen).min().map {
                SymbolicTime($0, moment.shift &+ bound.shift)
            }
        }
    }

    /// Returns every symbol that is provably equal to this one.
    package func equals(of symbol: Int) -> [Int] {
        let graph = graph(for: symbol, false)
        return graph.members[graph.find(symbol)] ?? [symbol]
    }

    /// Whether a symbol is not null in any row.
    package func isThere(_ symbol: Int) -> Bool {
        if !isThere(symbol, []) { return false }
        return nullable[symbol] == nil || graph(View(joins: [])).isPresent(symbol)
    }

    /// Whether rows with an equal key are the same, though the key may be null in both.
    package func tells(_ instance: Relation.Instance) -> Bool {
        !instance.key.isEmpty && (!instance.needsKey || instance.key.allSatisfy { isThere($0) })
    }

    /// Returns the nullable column that prevents a bound on `moment`.
    ///
    /// `""` when it is a value without a name, `nil` when another reason prevents the bound.
    func emptyColumn(before moment: SymbolicTime, where isSeen: (Int) -> Bool) -> String? {
        guard !nullable.isEmpty, moment.symbol != SymbolicTime.origin else { return nil }
        let joins = outer[moment.symbol] ?? []
        func reached(_ view: View) -> Set<Int> {
            let graph = graph(view)
            let origin = graph.find(SymbolicTime.origin)
            return Set(
                bounds(of: moment.symbol, in: graph).keys.filter { $0 != origin }
                    .flatMap { graph.members[$0, default: [$0]] })
        }
        let sure = reached(View(joins: joins)).filter(isSeen)
        func isFurther(_ way: Set<Int>) -> Bool { way.contains { isSeen($0) && !sure.contains($0) } }
        let way = reached(View(joins: joins, isDaring: true))
        guard isFurther(way) else { return nil }
        let named = way.sorted().filter { !(nullable[$0] ?? "").isEmpty }.prefix(20)
        return named.first { isFurther(reached(View(joins: joins, present: $0))) }.flatMap { nullable[$0] } ?? ""
    }

    private func bounds(of symbol: Int, in graph: Graph) -> [Int: Bound] {
        let start = graph.find(symbol)
        if let known = graph.known[start] { return known }
        var found = graph.shortest(from: start)
        // The next row of an entity is not after any later row of it.
        for a in instances {
            guard let next = a.follower, let event = a.event, found[graph.find(next.next)] != nil else { continue }
            let fromEvent = graph.shortest(from: graph.find(event))
            for b in instances where b.shape == a.shape {
                guard let other = b.follower, let otherEvent = b.event,
                    graph.find(other.entity) == graph.find(next.entity),
                    let bound = fromEvent[graph.find(otherEvent)], bound.shift < 0 || bound.isStrict && bound.shift == 0
                else { continue }
                for (vertex, further) in graph.shortest(from: graph.find(otherEvent)) {
                    if found[vertex].map({ further.isTighter(than: $0) }) ?? true { found[vertex] = further }
                }
            }
        }
        graph.known[start] = found
        return found
    }

    /// The facts that hold where a symbol is looked at: those of outer joins that found its row.
    private func graph(for symbol: Int, _ whereThere: Bool) -> Graph {
        graph(View(joins: outer[symbol] ?? [], present: whereThere && nullable[symbol] != nil ? symbol : nil))
    }

    private func graph(_ view: View) -> Graph {
        if let graph = graphs[view] { return graph }
        let graph = Graph()
        let joins = view.joins
        let usable = facts.filter { $0.joins.isSubset(of: joins) && isThere($0.low, joins) && isThere($0.high, joins) }
        let here = instances.filter { instance in
            !instance.key.isEmpty && instance.key.allSatisfy { isThere($0, joins) }
        }
        if let present = view.present { graph.mark(present) }
        for fact in usable {
            for symbol in [fact.low, fact.high]
            where fact.presence == .certain || view.isDaring || nullable[symbol] == nil {
                graph.mark(symbol)
            }
        }
        for instance in here {
            for symbol in instance.key + instance.members where view.isDaring || nullable[symbol] == nil {
                graph.mark(symbol)
            }
        }
        settle(graph, usable, here)
        for fact in usable {
            if graph.isPresent(fact.low) || fact.presence == .lowIfHigh || fact.presence == .same {
                graph.add(from: fact.low, to: fact.high, Bound(shift: fact.shift, isStrict: fact.isStrict))
            }
            if fact.isEqual, graph.isPresent(fact.high) || fact.presence == .highIfLow || fact.presence == .same {
                graph.add(from: fact.high, to: fact.low, Bound(shift: -fact.shift, isStrict: false))
            }
        }
        graph.gather()
        graphs[view] = graph
        return graph
    }

    /// Follows what is the same, and what is there, until nothing more is found.
    private func settle(_ graph: Graph, _ facts: [OrderConstraint], _ instances: [Relation.Instance]) {
        let telling = facts.filter { $0.presence != .open && $0.presence != .certain || $0.isEqual && $0.shift == 0 }
        var changed = true
        while changed {
            changed = false
            for fact in telling {
                let (low, high) = (graph.isPresent(fact.low), graph.isPresent(fact.high))
                if high, !low, fact.presence == .lowIfHigh || fact.presence == .same {
                    graph.mark(fact.low)
                    changed = true
                }
                if low, !high, fact.presence == .highIfLow || fact.presence == .same {
                    graph.mark(fact.high)
                    changed = true
                }
                if fact.isEqual, fact.shift == 0, fact.presence == .same || low && high,
                    graph.unite(fact.low, fact.high)
                {
                    changed = true
                }
            }
            var byKey: [[Int]: Relation.Instance] = [:]
            for instance in instances where !instance.needsKey || instance.key.allSatisfy({ graph.isPresent($0) }) {
                let key = [-instance.shape] + instance.key.map { graph.find($0) }
                guard let first = byKey[key] else {
                    byKey[key] = instance
                    continue
                }
                for (a, b) in zip(first.members, instance.members) where graph.unite(a, b) { changed = true }
            }
        }
    }

    private func isThere(_ symbol: Int, _ joins: Set<Int>) -> Bool {
        outer[symbol].map { $0.isSubset(of: joins) } ?? true
    }
}

private final class Graph {
    private var parent: [Int: Int] = [:]
    private var edges: [Int: [Int: TimeOrder.Bound]] = [:]
    var members: [Int: [Int]] = [:]
    var known: [Int: [Int: TimeOrder.Bound]] = [:]
    /// Vertices that are not null.
    private var present: Set<Int> = []

    func mark(_ symbol: Int) { present.insert(find(symbol)) }
    func isPresent(_ symbol: Int) -> Bool { present.contains(find(symbol)) }

    func find(_ symbol: Int) -> Int {
        var root = symbol
        while let next = parent[root], next != root { root = next }
        return root
    }

    @discardableResult
    func unite(_ a: Int, _ b: Int) -> Bool {
        let (a, b) = (find(a), find(b))
        if a == b { return false }
        if present.contains(a) || present.contains(b) { present.insert(min(a, b)) }
        parent[max(a, b)] = min(a, b)
        return true
    }

    func add(from low: Int, to high: Int, _ bound: TimeOrder.Bound) {
        let (low, high) = (find(low), find(high))
        if low == high { return }
        if let old = edges[low]?[high], !bound.isTighter(than: old) { return }
        edges[low, default: [:]][high] = bound
    }

    func gather() {
        for symbol in parent.keys { members[find(symbol), default: [find(symbol)]].append(symbol) }
    }

    func shortest(from start: Int) -> [Int: TimeOrder.Bound] {
        var best = [start: TimeOrder.Bound(shift: 0, isStrict: false)]
        var visits: [Int: Int] = [:]
        var queue = [start]
        var head = 0
        while head < queue.count {
            let here = queue[head]
            head += 1
            guard let bound = best[here] else { continue }
            for (there, step) in edges[here] ?? [:] where there != start {
                let sum = bound.shift.addingReportingOverflow(step.shift)
                if sum.overflow { continue }
                let candidate = TimeOrder.Bound(shift: sum.partialValue, isStrict: bound.isStrict || step.isStrict)
                if let old = best[there], !candidate.isTighter(than: old) { continue }
                best[there] = candidate
                // Facts that contradict each other would go in circles for ever.
                visits[there, default: 0] += 1
                if visits[there, default: 0] < 16 { queue.append(there) }
            }
        }
        return best
    }
}
