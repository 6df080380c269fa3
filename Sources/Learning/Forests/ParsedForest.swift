internal import Core

/// A parsed and checked forest, independent of the file format.
struct ParsedForest: Sendable {
    var family: Family
    var featureNames: [String]
    /// Every tree in depth-first order, the left branch first: the root is at 0, a left child stands right after its
    /// parent, a right child further on.
    var trees: [[TreeNode]] = []
    /// For each tree the mean of its leaves over the training data.
    var expected: [Double] = []
    /// The most splits from a root to a leaf.
    var depth = 0
    var sets: [CategorySet] = []
    /// What the sum begins with (XGBoost's base score as a margin).
    var base = 0.0
    /// The score is made of the sum divided by the number of trees.
    var averages = false
    var link = Link.identity
    /// Steps of the attribution of a row: over all leaves the square of the length of their paths.
    var attributionWork = 0
}

/// The function from margin to score.
enum Link: Sendable, Equatable {
    case identity
    /// 1 / (1 + exp(-slope * margin)), in doubles.
    case logistic(slope: Double)
    /// The same in floats, as XGBoost computes it.
    case floatLogistic
}

extension ParsedForest {
    /// The deepest tree that is read: more would be a damaged file, and attribution walks trees by recursion.
    static let deepest = 1_024

    /// Checks a tree with its root at 0 and brings it into depth-first order. Nodes that cannot be reached are dropped.
    ///
    /// Afterwards every child's place is greater than its parent's and less than the count, every node but the root
    /// has exactly one parent, and features and sets are in range: what the evaluators rely on.
    mutating func add(_ nodes: [TreeNode], at place: MartletError.Location) throws(MartletError) {
        func fault(_ message: String) -> MartletError {
            MartletError(.input, "forest.tree", "Tree \(trees.count): \(message)", at: place, remedy: Self.damaged)
        }
        guard !nodes.isEmpty else { throw fault("it has no nodes.") }
        var ordered: [TreeNode] = []
        var seen = [Bool](repeating: false, count: nodes.count)
        // A node to visit, its depth, and the parent whose right child it is (-1: it stands after its parent).
        var waiting: [(node: Int, depth: Int, rightOf: Int)] = [(0, 0, -1)]
        while let (index, depth, rightOf) = waiting.popLast() {
            guard nodes.indices.contains(index) else { throw fault("a child is node \(index), which is not there.") }
            guard !seen[index] else { throw fault("node \(index) has two parents or is its own ancestor.") }
            guard depth <= Self.deepest else { throw fault("it is deeper than \(Self.deepest) splits.") }
            seen[index] = true
            var node = nodes[index]
            let position = ordered.count
            if rightOf >= 0 { ordered[rightOf].right = Int32(position) }
            if node.isLeaf {
                self.depth = max(self.depth, depth)
                guard !node.value.isNaN else { throw fault("a leaf's value is not a number.") }
                attributionWork += (depth + 1) * (depth + 1)
            } else {
                guard Int(node.feature) < featureNames.count else {
                    throw fault("a split is on feature \(node.feature) of \(featureNames.count).")
                }
                guard Int(node.set) < sets.count else { throw fault("a split is on categories that are not there.") }
                guard node.set >= 0 || !node.threshold.isNaN else { throw fault("a threshold is not a number.") }
                waiting.append((Int(node.right), depth + 1, position))
                waiting.append((Int(node.left), depth + 1, -1))
                node.left = Int32(position + 1)
            }
            ordered.append(node)
        }
        trees.append(ordered)
        expected.append(ordered.expected)
    }

    static let damaged = "The file is damaged or was not written by the library: export the model again."
}
