// QuickScorer (Lucchese et al., SIGIR 2015): a bit for each leaf of a tree, in order. A split that goes right rules out
// the leaves of its left branch; when all such splits are taken, the first leaf left is the row's. No tree is walked.
// RapidScorer (Ye et al., KDD 2018) does so for many rows at a time: ranks are bytes, so that one vector compares
// sixteen rows with a split, and the bits stand in planes of eight leaves, of which a split touches mostly one.

/// Evaluation tables for batches over trees with up to 256 leaves, as bit planes. It owns its memory.
///
/// Sendable: its memory is written in `init` and only read afterwards, and freed when nobody holds it.
final class PlaneTables<Leaf: BinaryFloatingPoint & Sendable>: @unchecked Sendable {
    typealias Vector = SIMD16<Int8>

    /// The rows of a block; four vectors.
    static var block: Int { 64 }
    static var span: Int { 255 }
    static var mostLeaves: Int { 256 }

    /// In one plane of a tree: the leaves that a split rules out where it goes right.
    private struct Cut {
        var lane: UInt32
        var plane: UInt8
        /// The rank of the split's threshold, as a signed byte.
        var place: Int8
        var ruledOut: Int8
    }

    private struct Tree {
        /// The end of its cuts.
        var end: Int
        var planes: Int
        var value: Int
    }

    let ranker: Ranker
    private let cuts: UnsafeMutablePointer<Cut>
    private let trees: UnsafeMutablePointer<Tree>
    private let treeCount: Int
    private let values: UnsafeMutablePointer<Leaf>
    private let base: Leaf

    /// `nil` when a tree has more than `mostLeaves` leaves, or the forest more lanes than make sense.
    init?(_ forest: ParsedForest, _ columns: ThresholdColumns) {
        guard forest.trees.allSatisfy({ tree in tree.count { $0.isLeaf } <= Self.mostLeaves }) else { return nil }
        guard let ranker = Ranker(columns, sets: forest.sets, family: forest.family, span: Self.span) else {
            return nil
        }
        self.ranker = ranker
        guard ranker.laneCount <= 16_384 else { return nil }
        var cuts: [Cut] = []
        var trees: [Tree] = []
        var values: [Leaf] = []
        for (number, tree) in forest.trees.enumerated() {
            let spans = tree.leafSpans
            for (index, node) in tree.enumerated() where !node.isLeaf {
                let test = columns.tests[number][index]
                let lane = Int(ranker.firstLane[Int(test.column)]) + Int(test.place) / Self.span
                let left = spans[Int(node.left)]
                for plane in left.lowerBound / 8...(left.upperBound - 1) / 8 {
                    let part = left.clamped(to: plane * 8..<plane * 8 + 8)
                    let bits = part.reduce(UInt8(0)) { $0 | 1 << UInt8($1 % 8) }
                    cuts.append(
                        Cut(
                            lane: UInt32(lane), plane: UInt8(plane), place: Int8(Int(test.place) % Self.span - 128),
                            ruledOut: Int8(bitPattern: bits)))
                }
            }
            let leaves = tree.filter(\.isLeaf).map { Leaf($0.value) }
            trees.append(Tree(end: cuts.count, planes: (leaves.count + 7) / 8, value: values.count))
            values += leaves
        }
        self.cuts = .copy(of: cuts)
        self.trees = .copy(of: trees)
        treeCount = trees.count
        self.values = .copy(of: values)
        base = Leaf(forest.base)
    }

    deinit {
        cuts.deallocate()
        trees.deallocate()
        values.deallocate()
    }

    /// Bytes of scratch space, to be aligned to 64, for `margins`.
    var scratch: Int { (ranker.laneCount + Self.mostLeaves / 8 + 1) * Self.block }

    /// The margins of up to `block` rows; `scratch` holds initialised bytes.
    ///
    /// In bounds: a cut's lane is one of the ranker's, its plane less than its tree's planes, which are at most 32. As
    /// the last leaf is never ruled out, the leaf found is one of the tree's. Rows that are not there have whatever
    /// ranks the scratch space holds, and end in some leaf too.
    func margins(
        _ rows: UnsafePointer<Double>, count: Int, width: Int, scratch: UnsafeMutableRawPointer,
        into sums: UnsafeMutablePointer<Leaf>
    ) {
        let ranks = scratch.assumingMemoryBound(to: Int8.self)
        ranker.rank(rows, count: count, width: width, into: ranks, stride: Self.block) {
            Int8(truncatingIfNeeded: $0 &- 128)
        }
        let lanes = UnsafeRawPointer(scratch).assumingMemoryBound(to: Vector.self)
        let planes = (scratch + ranker.laneCount * Self.block).assumingMemoryBound(to: Vector.self)
        let leaves = (scratch + (ranker.laneCount + Self.mostLeaves / 8) * Self.block)
            .assumingMemoryBound(to: Vector.self)
        let leafNumbers = UnsafeRawPointer(leaves).assumingMemoryBound(to: UInt8.self)
        for row in 0..<count { sums[row] = base }
        var cut = cuts
        for number in 0..<treeCount {
            let tree = trees[number]
            planes.update(repeating: Vector(repeating: -1), count: tree.planes * 4)
            let end = cuts + tree.end
            while cut < end {
                let lane = lanes + Int(cut.pointee.lane) * 4
                let plane = planes + Int(cut.pointee.plane) * 4
                let place = Vector(repeating: cut.pointee.place)
                let ruledOut = Vector(repeating: cut.pointee.ruledOut)
                plane[0] = Self.clear(plane[0], ruledOut, where: lane[0], exceeds: place)
                plane[1] = Self.clear(plane[1], ruledOut, where: lane[1], exceeds: place)
                plane[2] = Self.clear(plane[2], ruledOut, where: lane[2], exceeds: place)
                plane[3] = Self.clear(plane[3], ruledOut, where: lane[3], exceeds: place)
                cut += 1
            }
            for part in 0..<4 { leaves[part] = Self.first(planes + part, count: tree.planes) }
            let values = values + tree.value
            for row in 0..<count { sums[row] += values[Int(leafNumbers[row])] }
        }
    }

    @inline(__always)
    private static func clear(_ plane: Vector, _ bits: Vector, where ranks: Vector, exceeds place: Vector) -> Vector {
        plane & ~(bits & bytes(ranks .> place))
    }

    @inline(__always)
    private static func bytes(_ mask: SIMDMask<Vector>) -> Vector { unsafeBitCast(mask, to: Vector.self) }

    /// The number of the first set bit of sixteen rows; planes stand four vectors apart.
    @inline(__always)
    private static func first(_ planes: UnsafePointer<Vector>, count: Int) -> Vector {
        var bits = planes[(count - 1) * 4]
        var number = Vector(repeating: Int8(truncatingIfNeeded: (count - 1) * 8 + 7))
        var plane = count - 2
        while plane >= 0 {
            let earlier = planes[plane * 4]
            let isEmpty = bytes(earlier .== Vector(repeating: 0))
            bits = (bits & isEmpty) | earlier
            number = (number & isEmpty) | (Vector(repeating: Int8(truncatingIfNeeded: plane * 8 + 7)) & ~isEmpty)
            plane -= 1
        }
        let lowest = bits & (Vector(repeating: 0) &- bits)
        // Each half of the eight bits that does not hold the lowest one takes its part from 7: 1, 2 and 4.
        let zero = Vector(repeating: 0)
        let ones = bytes((lowest & Vector(repeating: Int8(bitPattern: 0xAA))) .== zero)
        let twos = bytes((lowest & Vector(repeating: Int8(bitPattern: 0xCC))) .== zero)
        let fours = bytes((lowest & Vector(repeating: Int8(bitPattern: 0xF0))) .== zero)
        return number &+ ones &- (twos & Vector(repeating: 2)) &- (fours & Vector(repeating: 4))
    }
}
