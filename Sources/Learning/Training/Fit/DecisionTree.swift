/// A binary tree in depth-first order, the root first.
struct DecisionTree: Sendable {
    struct Node: Sendable {
        /// Numeric: at or below goes left. Not used by a categorical node.
        var threshold = 0.0
        /// -1 in a leaf.
        var feature: Int32 = -1
        var left: Int32 = 0
        var right: Int32 = 0
        /// Numeric: missing goes left. In a categorical node missing always goes right.
        var missingLeft = false
        /// The node's level set in `levelSets`; -1 if the node is not categorical.
        var levelSet: Int32 = -1
    }

    /// Training statistics of a node.
    struct Record: Sendable {
        /// The weighted share of positives.
        var value: Double
        /// Rows as drawn, and the sum of their class weights.
        var count: Int
        var weight: Double
        /// Impurity decrease x weight; 0 in a leaf.
        var gain = 0.0
    }

    var nodes: [Node] = []
    var records: [Record] = []
    /// Bit sets of the levels that go left, in words of 32.
    var levelSets: [[UInt32]] = []

    /// The leaf of a row.
    @inline(__always)
    func leaf(
        _ nodes: UnsafeBufferPointer<Node>, _ values: UnsafeBufferPointer<Double>, row: Int, rows: Int
    ) -> Int {
        var place = 0
        while true {
            let node = nodes[place]
            guard node.feature >= 0 else { return place }
            let value = values[Int(node.feature) &* rows &+ row]
            let left: Bool
            if node.levelSet >= 0 {
                left = contains(levelSets[Int(node.levelSet)], value)
            } else {
                left = value.isNaN ? node.missingLeft : value <= node.threshold
            }
            place = Int(left ? node.left : node.right)
        }
    }

    private func contains(_ set: [UInt32], _ value: Double) -> Bool {
        guard value >= 0, value < Double(set.count * 32) else { return false }
        let code = Int(value)
        return set[code >> 5] >> UInt32(code & 31) & 1 == 1
    }
}
