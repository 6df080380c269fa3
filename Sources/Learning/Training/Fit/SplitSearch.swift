internal import CLibrary

/// Finds the best split of one node over given features.
struct SplitSearch {
    typealias Counts = TreeGrower.Counts

    struct Split {
        var feature: Int
        /// Weighted impurity decrease.
        var gain: Double
        /// What goes left.
        var left: Counts
        /// Numeric: the last rank on the left and the first on the right.
        var lastLeft: UInt32 = 0
        var firstRight: UInt32 = 0
        var missingLeft = false
        /// Categorical: the levels on the left. Missing and levels without rows here go right.
        var leftLevels: [UInt32]?
    }

    private(set) var best: Split?
    private let criterion: RandomForest.Criterion
    private let minLeaf: UInt32
    private var positiveWeight = 1.0
    private var negativeWeight = 1.0
    private var total = Counts.zero
    private var parentScore = 0.0
    private var bestScore = 0.0
    private var histogram: [Counts]
    /// One bit a rank with rows in the node.
    private var present: [UInt64]
    private var keys: [UInt64] = []
    /// The borders of a feature with missing values: what is left of each, the last rank there and the next.
    private var borders: [(left: Counts, last: UInt32, first: UInt32)] = []

    init(ranks: Int, rows: Int, criterion: RandomForest.Criterion, minLeaf: UInt32) {
        self.criterion = criterion
        self.minLeaf = minLeaf
        histogram = [Counts](repeating: .zero, count: ranks)
        present = [UInt64](repeating: 0, count: (ranks + 63) / 64)
        keys.reserveCapacity(rows)
    }

    /// Sets the class weights of a tree: even, or each class half of all.
    mutating func weigh(balanced: Bool, _ inBag: Counts) {
        let positives = Double(inBag[1])
        let negatives = Double(inBag[2])
        let even = !balanced || positives == 0 || negatives == 0
        positiveWeight = even ? 1 : (positives + negatives) / (2 * positives)
        negativeWeight = even ? 1 : (positives + negatives) / (2 * negatives)
    }

    @inline(__always)
    func weights(of counts: Counts) -> (positive: Double, negative: Double) {
        (positiveWeight * Double(counts[1]), negativeWeight * Double(counts[2]))
    }

    mutating func begin(_ total: Counts) {
        self.total = total
        best = nil
        parentScore = score(total)
        bestScore = -.infinity
    }

    /// The part of a side's impurity that is compared: weight x (1 - impurity) for Gini, -weight x entropy.
    @inline(__always)
    private func score(_ side: Counts) -> Double {
        let (positive, negative) = weights(of: side)
        let sum = positive + negative
        if criterion == .gini { return (positive * positive + negative * negative) / sum }
        return (positive > 0 ? positive * log2(positive / sum) : 0)
            + (negative > 0 ? negative * log2(negative / sum) : 0)
    }

    /// Whether a split with these counts on the left beats the best so far; remembers its score if so.
    @inline(__always)
    private mutating func beats(_ left: Counts) -> Bool {
        let right = total &- left
        guard left[0] >= minLeaf, right[0] >= minLeaf else { return false }
        let value = score(left) + score(right)
        guard value > bestScore else { return false }
        bestScore = value
        return true
    }

    /// Tries one feature; `false` if it is constant in the node.
    mutating func `try`(
        _ feature: Int, missingRank: UInt32, categorical: Bool, rows: UnsafeBufferPointer<UInt32>,
        _ contributions: UnsafeBufferPointer<Counts>, ranks: UnsafeBufferPointer<UInt32>
    ) -> Bool {
        if !categorical, Int(missingRank) > 1024 * max(1, rows.count) {
            return trySorted(feature, missingRank, rows, contributions, ranks)
        }
        var lowest = UInt32.max
        var highest: UInt32 = 0
        histogram.withUnsafeMutableBufferPointer { histogram in
            present.withUnsafeMutableBufferPointer { present in
                for row in rows {
                    let rank = ranks[Int(row)]
                    histogram[Int(rank)] &+= contributions[Int(row)]
                    present[Int(rank >> 6)] |= 1 << UInt64(rank & 63)
                    lowest = min(lowest, rank)
                    highest = max(highest, rank)
                }
            }
        }
        if lowest == highest {
            clear(lowest)
            return false
        }
        if categorical {
            tryLevels(feature, missingRank, lowest, highest)
        } else {
            tryRanks(feature, missingRank, lowest, highest)
        }
        return true
    }

    private mutating func clear(_ rank: UInt32) {
        histogram[Int(rank)] = .zero
        present[Int(rank >> 6)] = 0
    }

    /// Walks the ranks that are present in ascending order and tries the border before each.
    private mutating func tryRanks(_ feature: Int, _ missingRank: UInt32, _ lowest: UInt32, _ highest: UInt32) {
        var missing = Counts.zero
        if highest == missingRank {
            missing = histogram[Int(missingRank)]
            histogram[Int(missingRank)] = .zero
            present[Int(missingRank >> 6)] &= ~(1 << UInt64(missingRank & 63))
        }
        var scan = Scan(missing: missing)
        for word in Int(lowest >> 6)...Int(highest >> 6) {
            var bits = present[word]
            present[word] = 0
            while bits != 0 {
                let rank = UInt32(word << 6 | bits.trailingZeroBitCount)
                bits &= bits &- 1
                border(feature, rank, &scan)
                scan.left &+= histogram[Int(rank)]
                histogram[Int(rank)] = .zero
            }
        }
        tryMissing(feature, missingRank, &scan)
    }

    private struct Scan {
        let missing: Counts
        var left = Counts.zero
        var last = UInt32.max
    }

    /// Tries the border between the ranks so far and `rank`, missing values on the right; notes it for the second
    /// search if there are any.
    @inline(__always)
    private mutating func border(_ feature: Int, _ rank: UInt32, _ scan: inout Scan) {
        if scan.last != .max {
            let hasMissing = scan.missing[0] > 0
            if beats(scan.left) {
                let missingLeft = !hasMissing && 2 * scan.left[0] > total[0]
                keep(feature, scan.left, scan.last, rank, missingLeft: missingLeft)
            }
            if hasMissing { borders.append((scan.left, scan.last, rank)) }
        }
        scan.last = rank
    }

    /// Tries the border before the missing values, then every border again with these on the left: of equal splits the
    /// one with missing on the right is kept, as scikit-learn does.
    private mutating func tryMissing(_ feature: Int, _ missingRank: UInt32, _ scan: inout Scan) {
        guard scan.missing[0] > 0 else { return }
        let between = borders.count
        border(feature, missingRank, &scan)
        for place in 0..<between {
            let (left, last, first) = borders[place]
            let withMissing = left &+ scan.missing
            if beats(withMissing) { keep(feature, withMissing, last, first, missingLeft: true) }
        }
        borders.removeAll(keepingCapacity: true)
    }

    private mutating func keep(
        _ feature: Int, _ left: Counts, _ last: UInt32, _ first: UInt32, missingLeft: Bool
    ) {
        best = Split(
            feature: feature, gain: max(0, bestScore - parentScore), left: left, lastLeft: last, firstRight: first,
            missingLeft: missingLeft)
    }

    /// For a node with far fewer rows than the feature has ranks: sorts the rows instead of walking the ranks.
    private mutating func trySorted(
        _ feature: Int, _ missingRank: UInt32, _ rows: UnsafeBufferPointer<UInt32>,
        _ contributions: UnsafeBufferPointer<Counts>, _ ranks: UnsafeBufferPointer<UInt32>
    ) -> Bool {
        keys.removeAll(keepingCapacity: true)
        for row in rows { keys.append(UInt64(ranks[Int(row)]) << 32 | UInt64(row)) }
        keys.sort()
        guard let first = keys.first, let last = keys.last, first >> 32 != last >> 32 else { return false }
        var missing = Counts.zero
        while let key = keys.last, key >> 32 == UInt64(missingRank) {
            missing &+= contributions[Int(key & 0xFFFF_FFFF)]
            keys.removeLast()
        }
        var scan = Scan(missing: missing)
        for key in keys {
            let rank = UInt32(key >> 32)
            if rank != scan.last { border(feature, rank, &scan) }
            scan.left &+= contributions[Int(key & 0xFFFF_FFFF)]
        }
        tryMissing(feature, missingRank, &scan)
        return true
    }

    /// Orders the levels by their weighted share of positives and tries every border: for two classes the best split
    /// of the levels into two sets is among them (Breiman et al. 1984, "Classification and Regression Trees", 4.2.2).
    /// Missing takes part as a level.
    private mutating func tryLevels(_ feature: Int, _ missingRank: UInt32, _ lowest: UInt32, _ highest: UInt32) {
        var levels: [(level: UInt32, share: Double, counts: Counts)] = []
        for word in Int(lowest >> 6)...Int(highest >> 6) {
            var bits = present[word]
            present[word] = 0
            while bits != 0 {
                let level = UInt32(word << 6 | bits.trailingZeroBitCount)
                bits &= bits &- 1
                let counts = histogram[Int(level)]
                histogram[Int(level)] = .zero
                let (positive, negative) = weights(of: counts)
                levels.append((level, positive / (positive + negative), counts))
            }
        }
        levels.sort { $0.share != $1.share ? $0.share < $1.share : $0.level < $1.level }
        var left = Counts.zero
        var border: Int?
        var leftCounts = Counts.zero
        for place in 0..<(levels.count - 1) {
            left &+= levels[place].counts
            if beats(left) { (border, leftCounts) = (place + 1, left) }
        }
        guard let border else { return }
        // Missing has to go right; without any, levels not seen here go the way of most rows.
        let missingPlace = levels.firstIndex { $0.level == missingRank }
        let swap = missingPlace.map { $0 < border } ?? (2 * leftCounts[0] > total[0])
        let chosen = swap ? levels[border...] : levels[..<border]
        best = Split(
            feature: feature, gain: max(0, bestScore - parentScore), left: swap ? total &- leftCounts : leftCounts,
            leftLevels: chosen.map(\.level).sorted())
    }
}
