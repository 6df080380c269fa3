// QuickScorer (Lucchese et al., "QuickScorer: A fast algorithm to rank documents with additive ensembles of regression
// trees", SIGIR 2015): a bit for each leaf of a tree, in order. A split that goes right rules out the leaves to its
// left; once all such splits are taken, the first leaf left is the row's. The splits stand by column and threshold, so
// those that go right are the first ones of each column, and no tree is walked.

/// A forest of trees with as many leaves as `Bits` has bits, for single rows. It owns its memory.
///
/// Sendable: its memory is written in `init` and only read afterwards, and freed when nobody holds it.
final class ScorerTables<Leaf: BinaryFloatingPoint & Sendable, Bits: FixedWidthInteger & UnsignedInteger & Sendable>:
    @unchecked Sendable
{
    /// Which of a tree's leaves stay when a split goes right.
    private struct Cut {
        var kept: Bits
        var tree: UInt32
    }

    let ranker: Ranker
    let treeCount: Int
    private let cuts: UnsafeMutablePointer<Cut>
    /// For each lane: the place in `ends` of its rank 0.
    private let lanes: UnsafeMutablePointer<UInt32>
    /// For each lane and rank: the cuts of that lane up to here are those of lower thresholds.
    private let ends: UnsafeMutablePointer<UInt32>
    /// For each tree, `Bits.bitWidth` values.
    private let values: UnsafeMutablePointer<Leaf>
    private let base: Leaf

    /// `nil` when a tree has more leaves than bits.
    init?(_ forest: ParsedForest, _ columns: ThresholdColumns) {
        let counts = forest.trees.map { tree in tree.count { $0.isLeaf } }
        guard counts.allSatisfy({ $0 <= Bits.bitWidth }) else { return nil }
        guard let ranker = Ranker(columns, sets: forest.sets, family: forest.family, span: 65_535) else { return nil }
        self.ranker = ranker
        guard ranker.laneCount < 1 << 24, forest.trees.count < 1 << 24 else { return nil }
        var byLane = [[(place: Int, cut: Cut)]](repeating: [], count: ranker.laneCount)
        var tops = [Int](repeating: 0, count: ranker.laneCount)
        for (column, thresholds) in columns.thresholds.enumerated() {
            let first = Int(ranker.firstLane[column])
            for place in stride(from: 0, to: thresholds.count, by: 65_535) {
                tops[first + place / 65_535] = min(65_535, thresholds.count - place)
            }
        }
        var values: [Leaf] = []
        for (number, tree) in forest.trees.enumerated() {
            let spans = tree.leafSpans
            for (index, node) in tree.enumerated() where !node.isLeaf {
                let test = columns.tests[number][index]
                let lane = Int(ranker.firstLane[Int(test.column)]) + Int(test.place) / 65_535
                let left = spans[Int(node.left)]
                let ruledOut = (Bits.max >> Bits(Bits.bitWidth - left.count)) << Bits(left.lowerBound)
                byLane[lane].append((Int(test.place) % 65_535, Cut(kept: ~ruledOut, tree: UInt32(number))))
            }
            let leaves = tree.filter(\.isLeaf).map { Leaf($0.value) }
            values += leaves + [Leaf](repeating: 0, count: Bits.bitWidth - leaves.count)
        }
        var cuts: [Cut] = []
        var lanes: [UInt32] = []
        var ends: [UInt32] = []
        for (lane, found) in byLane.enumerated() {
            lanes.append(UInt32(ends.count))
            let sorted = found.sorted { ($0.place, $0.cut.tree) < ($1.place, $1.cut.tree) }
            var next = 0
            for rank in 0...tops[lane] {
                while next < sorted.count, sorted[next].place < rank {
                    cuts.append(sorted[next].cut)
                    next += 1
                }
                ends.append(UInt32(cuts.count))
            }
        }
        self.cuts = .copy(of: cuts)
        self.lanes = .copy(of: lanes)
        self.ends = .copy(of: ends)
        self.values = .copy(of: values)
        treeCount = forest.trees.count
        base = Leaf(forest.base)
    }

    deinit {
        cuts.deallocate()
        lanes.deallocate()
        ends.deallocate()
        values.deallocate()
    }

    /// The margin of one row; `ranks` is space for `ranker.laneCount` ranks, `left` for `treeCount` sets of leaves.
    ///
    /// In bounds: a lane's rank is at most the number of its thresholds (`Ranker`), so `ends` has it; a cut names a
    /// tree of the forest. The last leaf is never ruled out, being in nobody's left branch, so the first leaf left is
    /// one of the tree's.
    func margin(
        _ row: UnsafePointer<Double>, ranks: UnsafeMutablePointer<UInt16>, left: UnsafeMutablePointer<Bits>
    ) -> Leaf {
        ranker.rank(row, count: 1, width: 0, into: ranks, stride: 1) { UInt16(truncatingIfNeeded: $0) }
        left.update(repeating: .max, count: treeCount)
        for lane in 0..<ranker.laneCount {
            let first = Int(lanes[lane])
            var cut = cuts + Int(ends[first])
            let end = cuts + Int(ends[first + Int(ranks[lane])])
            while cut < end {
                left[Int(cut.pointee.tree)] &= cut.pointee.kept
                cut += 1
            }
        }
        var sum = base
        var leaves = values
        for tree in 0..<treeCount {
            sum += leaves[left[tree].trailingZeroBitCount]
            leaves += Bits.bitWidth
        }
        return sum
    }
}

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
