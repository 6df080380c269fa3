internal import Core

/// Grows the trees of one forest, one after another, in scratch memory that is kept from tree to tree.
///
/// Invariants: (1) `rows[start..<end]` are the rows of the node at hand, each distinct row once, in ascending order of
/// the row; (2) `histogram` and `present` are all zero between two searches; (3) `order` is a permutation of the
/// features.
final class TreeGrower {
    /// Distinct rows, positives drawn, negatives drawn, unused.
    typealias Counts = SIMD4<UInt32>

    private let columns: RankedColumns
    private let labels: [UInt8]
    private let forest: RandomForest
    private let tries: Int
    private let minSplit: Int
    private let minLeaf: Int

    private let positives: [Int]
    private let negatives: [Int]
    private var contributions: [Counts]
    private var rows: [UInt32] = []
    private var spill: [UInt32]
    private var order: [Int]
    private var search: SplitSearch

    init(columns: RankedColumns, labels: [UInt8], forest: RandomForest) {
        self.columns = columns
        self.labels = labels
        self.forest = forest
        tries = forest.maxFeatures.resolved(columns.columns)
        minSplit = max(2, forest.minSamplesSplit.resolved(columns.rows))
        minLeaf = max(1, forest.minSamplesLeaf.resolved(columns.rows))
        positives = labels.indices.filter { labels[$0] == 1 }
        negatives = labels.indices.filter { labels[$0] != 1 }
        contributions = [Counts](repeating: .zero, count: columns.rows)
        spill = [UInt32](repeating: 0, count: columns.rows)
        order = Array(0..<columns.columns)
        search = SplitSearch(
            ranks: (columns.values.map(\.count).max() ?? 0) + 1, rows: columns.rows, criterion: forest.criterion,
            minLeaf: UInt32(clamping: minLeaf))
    }

    private struct Pending {
        var start: Int
        var end: Int
        var depth: Int
        var total: Counts
        var parent: Int
        var isLeft: Bool
    }

    func grow(_ generator: SeededGenerator) -> DecisionTree {
        var generator = generator
        order = Array(0..<columns.columns)
        let total = sample(&generator)
        var tree = DecisionTree()
        var stack = [Pending(start: 0, end: rows.count, depth: 0, total: total, parent: -1, isLeft: false)]
        while let node = stack.popLast() {
            let place = tree.nodes.count
            if node.parent >= 0 {
                if node.isLeft {
                    tree.nodes[node.parent].left = Int32(place)
                } else {
                    tree.nodes[node.parent].right = Int32(place)
                }
            }
            tree.nodes.append(.init())
            tree.records.append(record(node.total))
            guard mayGrow(node), let split = bestSplit(node, &generator) else { continue }
            let middle = partition(node.start, node.end, split)
            write(split, at: place, in: &tree)
            stack.append(
                Pending(
                    start: middle, end: node.end, depth: node.depth + 1, total: node.total &- split.left,
                    parent: place, isLeft: false))
            stack.append(
                Pending(
                    start: node.start, end: middle, depth: node.depth + 1, total: split.left, parent: place,
                    isLeft: true))
        }
        return tree
    }

    /// Draws the tree's sample and sets its class weights.
    private func sample(_ generator: inout SeededGenerator) -> Counts {
        let count = columns.rows
        var draws = [UInt32](repeating: forest.bootstrap ? 0 : 1, count: count)
        if forest.bootstrap {
            for _ in 0..<count { draws[draw(&generator)] += 1 }
        }
        for row in 0..<count {
            let drawn = draws[row]
            let positive = labels[row] == 1
            contributions[row] = Counts(drawn > 0 ? 1 : 0, positive ? drawn : 0, positive ? 0 : drawn, 0)
        }
        rows = (0..<UInt32(count)).filter { contributions[Int($0)][0] > 0 }
        let total = rows.reduce(into: Counts.zero) { $0 &+= contributions[Int($1)] }
        let drawnEvenly = forest.classWeight == .balanced && forest.bootstrap
        search.weigh(balanced: forest.classWeight != .none && !drawnEvenly, total)
        return total
    }

    /// One row at random; balanced, a class by even odds and then one of its rows.
    private func draw(_ generator: inout SeededGenerator) -> Int {
        guard forest.classWeight == .balanced else { return Int(generator.below(UInt32(columns.rows))) }
        let members = generator.below(2) == 1 ? positives : negatives
        return members[Int(generator.below(UInt32(members.count)))]
    }

    private func record(_ total: Counts) -> DecisionTree.Record {
        let (positive, negative) = search.weights(of: total)
        return .init(
            value: positive / (positive + negative), count: Int(total[1]) + Int(total[2]),
            weight: positive + negative)
    }

    private func mayGrow(_ node: Pending) -> Bool {
        let size = node.end - node.start
        return node.depth < forest.maxDepth ?? .max && size >= minSplit && size >= 2 * minLeaf
            && node.total[1] > 0 && node.total[2] > 0
    }

    /// The best split among features drawn without replacement: as many as `max_features`, and further ones until one
    /// of them is not constant in the node, as scikit-learn does.
    private func bestSplit(_ node: Pending, _ generator: inout SeededGenerator) -> SplitSearch.Split? {
        search.begin(node.total)
        var visited = 0
        var varying = 0
        while visited < columns.columns, visited < tries || varying == 0 {
            let other = visited + Int(generator.below(UInt32(columns.columns - visited)))
            order.swapAt(visited, other)
            let feature = order[visited]
            visited += 1
            let varies = rows.withUnsafeBufferPointer { rows in
                contributions.withUnsafeBufferPointer { contributions in
                    columns.ranks.withUnsafeBufferPointer { ranks in
                        search.try(
                            feature, missingRank: UInt32(columns.values[feature].count),
                            categorical: columns.categorical[feature],
                            rows: UnsafeBufferPointer(rebasing: rows[node.start..<node.end]), contributions,
                            ranks: UnsafeBufferPointer(
                                rebasing: ranks[(feature * columns.rows)..<((feature + 1) * columns.rows)]))
                    }
                }
            }
            if varies { varying += 1 }
        }
        return search.best
    }

    /// Moves the rows that go left before those that go right, keeping their order; gives the border.
    private func partition(_ start: Int, _ end: Int, _ split: SplitSearch.Split) -> Int {
        let missingRank = UInt32(columns.values[split.feature].count)
        let base = split.feature * columns.rows
        var inLeft: [Bool] = []
        if let levels = split.leftLevels {
            inLeft = [Bool](repeating: false, count: Int(missingRank) + 1)
            for level in levels { inLeft[Int(level)] = true }
        }
        return rows.withUnsafeMutableBufferPointer { rows in
            columns.ranks.withUnsafeBufferPointer { ranks in
                var left = start
                var right = 0
                for place in start..<end {
                    let row = rows[place]
                    let rank = ranks[base &+ Int(row)]
                    let goesLeft: Bool
                    if split.leftLevels != nil {
                        goesLeft = inLeft[Int(rank)]
                    } else {
                        goesLeft = rank == missingRank ? split.missingLeft : rank <= split.lastLeft
                    }
                    if goesLeft {
                        rows[left] = row
                        left &+= 1
                    } else {
                        spill[right] = row
                        right &+= 1
                    }
                }
                for place in 0..<right { rows[left &+ place] = spill[place] }
                return left
            }
        }
    }

    private func write(_ split: SplitSearch.Split, at place: Int, in tree: inout DecisionTree) {
        tree.nodes[place].feature = Int32(split.feature)
        tree.records[place].gain = split.gain
        if let levels = split.leftLevels {
            var set = [UInt32](repeating: 0, count: (Int(levels.max() ?? 0) >> 5) + 1)
            for level in levels { set[Int(level) >> 5] |= 1 << (level & 31) }
            tree.nodes[place].levelSet = Int32(tree.levelSets.count)
            tree.levelSets.append(set)
        } else {
            tree.nodes[place].missingLeft = split.missingLeft
            tree.nodes[place].threshold = threshold(split)
        }
    }

    /// Midway between the values on both sides; above all values where only missing ones go right.
    private func threshold(_ split: SplitSearch.Split) -> Double {
        let values = columns.values[split.feature]
        let low = values[Int(split.lastLeft)]
        guard Int(split.firstRight) < values.count else { return .greatestFiniteMagnitude }
        let high = values[Int(split.firstRight)]
        let middle = low / 2 + high / 2
        return middle >= low && middle < high ? middle : low
    }
}
