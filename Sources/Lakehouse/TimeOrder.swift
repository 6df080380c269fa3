/// Which moments are not after which others, by what the facts say together.
///
/// Facts are differences (`low ≤ high + shift`), so a chain of them is a path and the tightest bound a shortest path
/// (Bellman and Ford). Symbols that equal keys make the same are one vertex.
package final class TimeOrder {
    /// A bound: not after the other symbol by more than `shift`.
    package struct Bound: Equatable {
        package var shift: Int64
        package var isStrict: Bool

        func isTighter(than other: Bound) -> Bool {
            shift != other.shift ? shift < other.shift : isStrict && !other.isStrict
        }
    }

    private let facts: [Fact]
    private let instances: [Relation.Instance]
    private let outer: [Int: Set<Int>]
    private var graphs: [Set<Int>: Graph] = [:]

    package init(facts: [Fact], instances: [Relation.Instance], outer: [Int: Set<Int>]) {
        self.facts = facts
        self.instances = instances
        self.outer = outer
    }

    /// Whether `a` is not after `b`.
    package func proves(_ a: Moment, notAfter b: Moment, strictly: Bool = false) -> Bool {
        if a.symbol == b.symbol, strictly ? a.shift < b.shift : a.shift <= b.shift { return true }
        let graph = graph(for: a.symbol)
        guard let bound = bounds(of: a.symbol, in: graph)[graph.find(b.symbol)] else { return false }
        let total = a.shift &+ bound.shift
        return total < b.shift || (total == b.shift && (!strictly || bound.isStrict))
    }

    /// Whether two symbols are the same wherever the first is there.
    package func proves(_ a: Int, equals b: Int) -> Bool {
        let graph = graph(for: a)
        return graph.find(a) == graph.find(b)
    }

    /// Moments that `moment` is not after, of symbols that the caller still sees; one for each group of equals.
    package func bounds(of moment: Moment, where isSeen: (Int) -> Bool) -> [Moment] {
        if isSeen(moment.symbol) { return [moment] }
        let graph = graph(for: moment.symbol)
        return bounds(of: moment.symbol, in: graph).compactMap { vertex, bound in
            graph.members[vertex, default: [vertex]].filter(isSeen).min().map {
                Moment($0, moment.shift &+ bound.shift)
            }
        }
    }

    /// Every symbol of the group that equals this one.
    package func equals(of symbol: Int) -> [Int] {
        let graph = graph(for: symbol)
        return graph.members[graph.find(symbol)] ?? [symbol]
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

    /// The facts that hold where a symbol is not null: those of outer joins that found its row.
    private func graph(for symbol: Int) -> Graph {
        let joins = outer[symbol] ?? []
        if let graph = graphs[joins] { return graph }
        let graph = Graph()
        let usable = facts.filter { $0.joins.isSubset(of: joins) && isThere($0.low, joins) && isThere($0.high, joins) }
        for fact in usable where fact.isEqual && fact.shift == 0 { graph.unite(fact.low, fact.high) }
        let present = instances.filter { instance in
            !instance.key.isEmpty && instance.key.allSatisfy { isThere($0, joins) }
        }
        var changed = true
        while changed {
            changed = false
            var byKey: [[Int]: Relation.Instance] = [:]
            for instance in present {
                let key = [-instance.shape] + instance.key.map { graph.find($0) }
                guard let first = byKey[key] else {
                    byKey[key] = instance
                    continue
                }
                for (a, b) in zip(first.members, instance.members) where graph.unite(a, b) { changed = true }
            }
        }
        for fact in usable {
            graph.add(from: fact.low, to: fact.high, Bound(shift: fact.shift, isStrict: fact.isStrict))
            if fact.isEqual { graph.add(from: fact.high, to: fact.low, Bound(shift: -fact.shift, isStrict: false)) }
        }
        graph.gather()
        graphs[joins] = graph
        return graph
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

    func find(_ symbol: Int) -> Int {
        var root = symbol
        while let next = parent[root], next != root { root = next }
        return root
    }

    @discardableResult
    func unite(_ a: Int, _ b: Int) -> Bool {
        let (a, b) = (find(a), find(b))
        if a == b { return false }
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
