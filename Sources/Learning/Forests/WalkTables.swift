// The walk: trees of small nodes, followed for eight trees of one row, or eight rows of one tree, at a time, so that
// the waits for memory overlap. A node's children are neighbours and a leaf is its own child: a step has no branch.

/// A compact node: go to `left`, or to the node after it if the rank in `lane` is greater than `place`.
struct WalkNode {
    var left: UInt32
    var lane: UInt16
    var place: UInt16
}

/// Evaluation tables that walk from root to leaf, with nodes of eight bytes. It owns its memory.
///
/// Sendable: its memory is written in `init` and only read afterwards, and freed when nobody holds it.
final class WalkTables<Leaf: BinaryFloatingPoint & Sendable>: @unchecked Sendable {
    /// The rows of a block of a batch.
    static var block: Int { 64 }
    /// Greater ranks than this are told apart by further lanes; a leaf's place, which no rank exceeds, is one more.
    static var span: Int { 65_534 }

    let ranker: Ranker
    private let nodes: UnsafeMutablePointer<WalkNode>
    private let values: UnsafeMutablePointer<Leaf>
    private let roots: UnsafeMutablePointer<UInt32>
    private let treeCount: Int
    private let base: Leaf

    /// `nil` for a forest with more lanes or nodes than a node can name.
    ///
    /// Every `left` names a node with a neighbour inside the same tree, or the leaf itself: walks stay in `nodes`. As
    /// children are set from the checked tree, whose places grow from parent to child, a walk reaches a leaf after at
    /// most `ParsedForest.deepest` steps and stays there.
    init?(_ forest: ParsedForest, _ columns: ThresholdColumns) {
        guard let ranker = Ranker(columns, sets: forest.sets, family: forest.family, span: Self.span) else {
            return nil
        }
        self.ranker = ranker
        let count = forest.trees.reduce(0) { $0 + $1.count }
        guard ranker.laneCount <= 65_536, count < Int(UInt32.max) else { return nil }
        var nodes: [WalkNode] = []
        var values: [Leaf] = []
        var roots: [UInt32] = []
        nodes.reserveCapacity(count)
        values.reserveCapacity(count)
        for (tree, tests) in zip(forest.trees, columns.tests) {
            let first = nodes.count
            roots.append(UInt32(first))
            // Level by level, so that the first steps of all rows share few cache lines.
            var queue = [0]
            var at = 0
            while at < queue.count {
                let place = queue[at]
                let node = tree[place]
                if node.isLeaf {
                    nodes.append(WalkNode(left: UInt32(first + at), lane: 0, place: .max))
                    values.append(Leaf(node.value))
                } else {
                    let test = tests[place]
                    let lane = Int(ranker.firstLane[Int(test.column)]) + Int(test.place) / Self.span
                    nodes.append(
                        WalkNode(
                            left: UInt32(first + queue.count), lane: UInt16(lane),
                            place: UInt16(Int(test.place) % Self.span)))
                    values.append(0)
                    queue.append(Int(node.left))
                    queue.append(Int(node.right))
                }
                at += 1
            }
        }
        self.nodes = .copy(of: nodes)
        self.values = .copy(of: values)
        self.roots = .copy(of: roots)
        treeCount = roots.count
        base = Leaf(forest.base)
    }

    deinit {
        nodes.deallocate()
        values.deallocate()
        roots.deallocate()
    }

    @inline(__always)
    private func step(_ at: UInt32, _ ranks: UnsafePointer<UInt16>, _ stride: Int) -> UInt32 {
        let node = nodes[Int(at)]
        return node.left &+ (ranks[Int(node.lane) &* stride] > node.place ? 1 : 0)
    }

    /// The margin of one row; `ranks` is space for `ranker.laneCount` ranks.
    func margin(_ row: UnsafePointer<Double>, ranks: UnsafeMutablePointer<UInt16>) -> Leaf {
        ranker.rank(row, count: 1, width: 0, into: ranks, stride: 1) { UInt16(truncatingIfNeeded: $0) }
        let ranks = UnsafePointer(ranks)
        var sum = base
        var tree = 0
        while tree + 8 <= treeCount {
            var at = SIMD8<UInt32>(
                roots[tree], roots[tree + 1], roots[tree + 2], roots[tree + 3], roots[tree + 4], roots[tree + 5],
                roots[tree + 6], roots[tree + 7])
            follow(&at, ranks, stride: 1, apart: 0)
            for lane in 0..<8 { sum += values[Int(at[lane])] }
            tree += 8
        }
        while tree < treeCount {
            sum += values[Int(walk(roots[tree], ranks, 1))]
            tree += 1
        }
        return sum
    }

    @inline(__always)
    private func walk(_ root: UInt32, _ ranks: UnsafePointer<UInt16>, _ stride: Int) -> UInt32 {
        var at = root
        while true {
            let next = step(at, ranks, stride)
            if next == at { return at }
            at = next
        }
    }

    /// Eight walks to their leaves; walk k reads its ranks `apart * k` further.
    @inline(__always)
    private func follow(_ at: inout SIMD8<UInt32>, _ ranks: UnsafePointer<UInt16>, stride: Int, apart: Int) {
        var (a, b, c, d) = (at[0], at[1], at[2], at[3])
        var (e, f, g, h) = (at[4], at[5], at[6], at[7])
        while true {
            let a1 = step(a, ranks, stride)
            let b1 = step(b, ranks + apart, stride)
            let c1 = step(c, ranks + 2 * apart, stride)
            let d1 = step(d, ranks + 3 * apart, stride)
            let e1 = step(e, ranks + 4 * apart, stride)
            let f1 = step(f, ranks + 5 * apart, stride)
            let g1 = step(g, ranks + 6 * apart, stride)
            let h1 = step(h, ranks + 7 * apart, stride)
            let moved = (a ^ a1) | (b ^ b1) | (c ^ c1) | (d ^ d1) | (e ^ e1) | (f ^ f1) | (g ^ g1) | (h ^ h1)
            if moved == 0 { return }
            a = step(a1, ranks, stride)
            b = step(b1, ranks + apart, stride)
            c = step(c1, ranks + 2 * apart, stride)
            d = step(d1, ranks + 3 * apart, stride)
            e = step(e1, ranks + 4 * apart, stride)
            f = step(f1, ranks + 5 * apart, stride)
            g = step(g1, ranks + 6 * apart, stride)
            h = step(h1, ranks + 7 * apart, stride)
            at = SIMD8(a, b, c, d, e, f, g, h)
        }
    }

    /// The margins of up to `block` rows; `ranks` is space for `ranker.laneCount * block` ranks.
    func margins(
        _ rows: UnsafePointer<Double>, count: Int, width: Int, ranks: UnsafeMutablePointer<UInt16>,
        into sums: UnsafeMutablePointer<Leaf>
    ) {
        let block = Self.block
        ranker.rank(rows, count: count, width: width, into: ranks, stride: block) { UInt16(truncatingIfNeeded: $0) }
        let ranks = UnsafePointer(ranks)
        for row in 0..<count { sums[row] = base }
        for tree in 0..<treeCount {
            let root = roots[tree]
            var row = 0
            while row + 8 <= count {
                var at = SIMD8<UInt32>(repeating: root)
                follow(&at, ranks + row, stride: block, apart: 1)
                for lane in 0..<8 { sums[row + lane] += values[Int(at[lane])] }
                row += 8
            }
            while row < count {
                sums[row] += values[Int(walk(root, ranks + row, block))]
                row += 1
            }
        }
    }
}
