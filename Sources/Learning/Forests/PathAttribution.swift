// Lundberg et al., "Consistent individualized feature attribution for tree ensembles" (arXiv 1802.03888), algorithm 2:
// exact Shapley values of a tree whose absent features follow the training data's counts down both branches.
// The steps are those of LightGBM's and XGBoost's own `TreeSHAP`, in doubles, but for what is the same for all features
// that the row does not go with, which is computed once.

/// One feature on the path from the root to a node.
private struct PathElement {
    var feature: Int32
    /// The share of the training rows that go this way when the feature is not known.
    var zero: Double
    /// 1 when the row itself goes this way, else 0.
    var one: Double
    /// The weight of the subsets of features, by their size.
    var weight: Double
}

/// Computes the Shapley values of one row's margin.
///
/// Each node has a copy of its parent's path, since both branches go on from there. All of them stand in one piece of
/// memory, one after the other, as deep as the walk is.
struct PathAttribution {
    private let forest: ParsedForest
    /// The row as the family reads it.
    private let row: UnsafePointer<Double>
    private let shares: UnsafeMutablePointer<Double>
    private let nodes: UnsafePointer<TreeNode>
    /// 1 / n at n; multiplied with in place of division, which the processor takes longest for.
    private let reciprocals: UnsafePointer<Double>

    /// - Returns: one number for each feature and the expected margin at the end.
    static func shares(of forest: ParsedForest, row: UnsafeBufferPointer<Double>) -> [Double] {
        let bias = forest.featureNames.count
        // A path has each feature once, and the root's element.
        let longest = min(forest.depth, bias) + 2
        return withUnsafeTemporaryAllocation(of: PathElement.self, capacity: longest * (forest.depth + 2)) { room in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: row.count + longest + 2) { numbers in
                for place in row.indices { numbers[place] = forest.family.reading(row[place]) }
                for number in 0...longest + 1 { numbers[row.count + number] = 1 / Double(number) }
                return [Double](unsafeUninitializedCapacity: bias + 1) { shares, count in
                    shares.initialize(repeating: 0)
                    count = bias + 1
                    shares[bias] = forest.base
                    guard let start = room.baseAddress, let values = numbers.baseAddress,
                        let shares = shares.baseAddress
                    else { return }
                    for (tree, expected) in zip(forest.trees, forest.expected) {
                        shares[bias] += expected
                        tree.withUnsafeBufferPointer { nodes in
                            guard let nodes = nodes.baseAddress else { return }
                            Self(
                                forest: forest, row: values, shares: shares, nodes: nodes,
                                reciprocals: values + row.count
                            ).walk(0, start, 0, zero: 1, one: 1, feature: -1)
                        }
                    }
                }
            }
        }
    }

    /// - Parameters:
    ///   - path: the parent's, of `count` elements, which becomes the node's own; behind it is room.
    ///
    /// Recursion is as deep as the tree, which `ParsedForest.deepest` bounds.
    private func walk(
        _ index: Int, _ path: UnsafeMutablePointer<PathElement>, _ count: Int, zero: Double, one: Double, feature: Int32
    ) {
        extend(path, count, zero: zero, one: one, feature: feature)
        var count = count + 1
        let node = nodes + index
        if node.pointee.isLeaf { return share(node.pointee.value, by: path, count) }
        let split = node.pointee.feature
        let goesLeft = node.pointee.goesLeft(row[Int(split)], forest.family, forest.sets)
        let (left, right) = (Int(node.pointee.left), Int(node.pointee.right))
        let (hot, cold) = goesLeft ? (left, right) : (right, left)
        var (oldZero, oldOne) = (1.0, 1.0)
        for place in 0..<count where path[place].feature == split {
            (oldZero, oldOne) = (path[place].zero, path[place].one)
            unwind(path, count, place)
            count -= 1
            break
        }
        let hotShare = nodes[hot].cover / node.pointee.cover
        let coldShare = nodes[cold].cover / node.pointee.cover
        // The second branch may have the node's own path.
        let copy = path + count + 1
        copy.update(from: path, count: count)
        walk(hot, copy, count, zero: hotShare * oldZero, one: oldOne, feature: split)
        walk(cold, path, count, zero: coldShare * oldZero, one: 0, feature: split)
    }

    private func extend(
        _ path: UnsafeMutablePointer<PathElement>, _ depth: Int, zero: Double, one: Double, feature: Int32
    ) {
        path[depth] = PathElement(feature: feature, zero: zero, one: one, weight: depth == 0 ? 1 : 0)
        let part = reciprocals[depth + 1]
        var place = depth - 1
        while place >= 0 {
            let weight = path[place].weight * part
            path[place + 1].weight += one * weight * Double(place + 1)
            path[place].weight = zero * weight * Double(depth - place)
            place -= 1
        }
    }

    /// Takes an element out again, as if it had never been added.
    private func unwind(_ path: UnsafeMutablePointer<PathElement>, _ count: Int, _ removed: Int) {
        let depth = count - 1
        let (zero, one) = (path[removed].zero, path[removed].one)
        let all = Double(depth + 1)
        if one != 0 {
            var next = path[depth].weight
            var place = depth - 1
            while place >= 0 {
                let old = path[place].weight
                path[place].weight = next * all * reciprocals[place + 1]
                next = old - next * zero * (Double(depth - place) * reciprocals[place + 1])
                place -= 1
            }
        } else {
            let part = all / zero
            for place in 0..<depth { path[place].weight *= part * reciprocals[depth - place] }
        }
        for place in removed..<depth {
            let weight = path[place].weight
            path[place] = path[place + 1]
            path[place].weight = weight
        }
    }

    /// Shares out a leaf's value among the features of its path: to each by the sum of the path's weights as if it had
    /// never been added. Paths that the row does not take have the same sum but for a factor, which is the share of the
    /// training rows; where that is 0 as well, all weights are.
    private func share(_ value: Double, by path: UnsafeMutablePointer<PathElement>, _ count: Int) {
        let depth = count - 1
        var others = 0.0
        for place in 0..<depth { others += path[place].weight * reciprocals[depth - place] }
        others *= Double(depth + 1)
        for removed in 1..<max(1, count) {
            let (zero, one) = (path[removed].zero, path[removed].one)
            let share = one != 0 ? weight(of: path, depth, without: zero) * (one - zero) : zero != 0 ? -others : 0
            shares[Int(path[removed].feature)] += share * value
        }
    }

    /// The sum for an element on the way of the row itself (whose `one` is 1).
    private func weight(of path: UnsafeMutablePointer<PathElement>, _ depth: Int, without zero: Double) -> Double {
        var next = path[depth].weight
        var total = 0.0
        var place = depth - 1
        while place >= 0 {
            let part = reciprocals[place + 1]
            total += next * part
            next = path[place].weight - next * (zero * Double(depth - place) * part)
            place -= 1
        }
        return total * Double(depth + 1)
    }
}

extension [TreeNode] {
    /// The mean of the leaves over the training data.
    var expected: Double {
        guard self[0].cover != 0 || count == 1 else { return 0 }
        if count == 1 { return self[0].value }
        return reduce(0) { $1.isLeaf ? $0 + $1.cover / self[0].cover * $1.value : $0 }
    }
}
