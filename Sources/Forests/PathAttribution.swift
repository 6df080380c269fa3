// Lundberg et al., "Consistent individualized feature attribution for tree ensembles" (arXiv 1802.03888), algorithm 2:
// exact Shapley values of a tree whose absent features follow the training data's counts down both branches.
// The steps are those of LightGBM's and XGBoost's own `TreeSHAP`, in doubles.

/// One feature on the way from the root to a node.
private struct PathElement {
    var feature: Int32
    /// The share of the training rows that go this way when the feature is not known.
    var zero: Double
    /// 1 when the row itself goes this way, else 0.
    var one: Double
    /// The weight of the subsets of features, by their size.
    var weight: Double
}

/// The attribution of one row's margin.
struct PathAttribution {
    let forest: ParsedForest
    /// The row as the family reads it.
    let row: [Double]
    private(set) var shares: [Double]

    /// - Returns: one number for each feature and the expected margin at the end.
    static func shares(of forest: ParsedForest, row: UnsafeBufferPointer<Double>) -> [Double] {
        var attribution = PathAttribution(
            forest: forest, row: row.map { forest.family.reading($0) },
            shares: [Double](repeating: 0, count: forest.featureNames.count + 1))
        let bias = forest.featureNames.count
        attribution.shares[bias] = forest.base
        for tree in forest.trees {
            attribution.shares[bias] += tree.expected
            attribution.walk(tree, 0, [], zero: 1, one: 1, feature: -1)
        }
        return attribution.shares
    }

    /// Recursion is as deep as the tree, which `ParsedForest.deepest` bounds.
    private mutating func walk(
        _ tree: [TreeNode], _ index: Int, _ parents: [PathElement], zero: Double, one: Double, feature: Int32
    ) {
        var path = parents
        Self.extend(&path, zero: zero, one: one, feature: feature)
        let node = tree[index]
        if node.isLeaf {
            for place in path.indices.dropFirst() {
                let element = path[place]
                let weight = Self.weight(of: path, without: place)
                shares[Int(element.feature)] += weight * (element.one - element.zero) * node.value
            }
            return
        }
        let goesLeft = node.goesLeft(row[Int(node.feature)], forest.family, forest.sets)
        let (hot, cold) = goesLeft ? (Int(node.left), Int(node.right)) : (Int(node.right), Int(node.left))
        var (oldZero, oldOne) = (1.0, 1.0)
        if let place = path.firstIndex(where: { $0.feature == node.feature }) {
            (oldZero, oldOne) = (path[place].zero, path[place].one)
            Self.unwind(&path, place)
        }
        let hotShare = tree[hot].cover / node.cover
        let coldShare = tree[cold].cover / node.cover
        walk(tree, hot, path, zero: hotShare * oldZero, one: oldOne, feature: node.feature)
        walk(tree, cold, path, zero: coldShare * oldZero, one: 0, feature: node.feature)
    }

    private static func extend(_ path: inout [PathElement], zero: Double, one: Double, feature: Int32) {
        let depth = path.count
        path.append(PathElement(feature: feature, zero: zero, one: one, weight: depth == 0 ? 1 : 0))
        for place in stride(from: depth - 1, through: 0, by: -1) {
            path[place + 1].weight += one * path[place].weight * Double(place + 1) / Double(depth + 1)
            path[place].weight = zero * path[place].weight * Double(depth - place) / Double(depth + 1)
        }
    }

    private static func unwind(_ path: inout [PathElement], _ removed: Int) {
        let depth = path.count - 1
        let (zero, one) = (path[removed].zero, path[removed].one)
        var next = path[depth].weight
        for place in stride(from: depth - 1, through: 0, by: -1) {
            if one != 0 {
                let old = path[place].weight
                path[place].weight = next * Double(depth + 1) / (Double(place + 1) * one)
                next = old - path[place].weight * zero * Double(depth - place) / Double(depth + 1)
            } else {
                path[place].weight = path[place].weight * Double(depth + 1) / (zero * Double(depth - place))
            }
        }
        for place in removed..<depth {
            let weight = path[place].weight
            path[place] = path[place + 1]
            path[place].weight = weight
        }
        path.removeLast()
    }

    /// The sum of the path's weights as if one element had never been added.
    private static func weight(of path: [PathElement], without removed: Int) -> Double {
        let depth = path.count - 1
        let (zero, one) = (path[removed].zero, path[removed].one)
        var next = path[depth].weight
        var total = 0.0
        for place in stride(from: depth - 1, through: 0, by: -1) {
            if one != 0 {
                let weight = next * Double(depth + 1) / (Double(place + 1) * one)
                total += weight
                next = path[place].weight - weight * zero * (Double(depth - place) / Double(depth + 1))
            } else if zero != 0 {
                total += (path[place].weight / zero) / (Double(depth - place) / Double(depth + 1))
            }
        }
        return total
    }
}

extension [TreeNode] {
    /// The mean of the leaves over the training data.
    fileprivate var expected: Double {
        guard self[0].cover != 0 || count == 1 else { return 0 }
        if count == 1 { return self[0].value }
        return reduce(0) { $1.isLeaf ? $0 + $1.cover / self[0].cover * $1.value : $0 }
    }
}
