extension [TreeNode] {
    /// For each node the leaves below it, numbered from the left: in depth-first order they are consecutive.
    var leafSpans: [Range<Int>] {
        var firsts = [Int](repeating: 0, count: count)
        var leaves = 0
        for index in indices {
            firsts[index] = leaves
            if self[index].isLeaf { leaves += 1 }
        }
        var counts = [Int](repeating: 1, count: count)
        // Children stand after their parents.
        for index in indices.reversed() where !self[index].isLeaf {
            counts[index] = counts[Int(self[index].left)] + counts[Int(self[index].right)]
        }
        return indices.map { firsts[$0]..<firsts[$0] + counts[$0] }
    }
}
