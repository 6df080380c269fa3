/// A forest compiled for single rows and for batches, its leaves summed as doubles (LightGBM) or floats (XGBoost).
struct Evaluator<Leaf: BinaryFloatingPoint & Sendable>: Sendable {
    private enum Batch: Sendable {
        case planes(PlaneTables<Leaf>)
        case walk(WalkTables<Leaf>)
        case plain
    }

    private let forest: ParsedForest
    /// `nil` for a forest too wide for it, which goes by its own nodes.
    private let walk: WalkTables<Leaf>?
    private let batch: Batch
    /// For rows that need more space than the stack gives.
    private let pool: ScratchPool?
    /// Up to this many bytes `withUnsafeTemporaryAllocation` never allocates.
    private static var stackLimit: Int { 1_024 }

    init(_ forest: ParsedForest) {
        self.forest = forest
        let columns = ThresholdColumns(forest)
        walk = WalkTables<Leaf>(forest, columns)
        let space = (walk?.ranker.laneCount ?? 0) * MemoryLayout<UInt16>.stride
        pool = space > Self.stackLimit ? ScratchPool(size: space) : nil
        if let planes = PlaneTables<Leaf>(forest, columns) {
            batch = .planes(planes)
        } else {
            batch = walk.map { .walk($0) } ?? .plain
        }
    }

    func margin(_ row: UnsafePointer<Double>) -> Leaf {
        guard let walk else { return plain(row) }
        return space { walk.margin(row, ranks: $0.assumingMemoryBound(to: UInt16.self)) }
    }

    @inline(__always)
    private func space(_ body: (UnsafeMutableRawPointer) -> Leaf) -> Leaf {
        if let pool { return pool.with(body) }
        return withUnsafeTemporaryAllocation(byteCount: Self.stackLimit, alignment: 16) {
            $0.baseAddress.map(body) ?? 0
        }
    }

    /// Node by node.
    private func plain(_ row: UnsafePointer<Double>) -> Leaf {
        var sum = Leaf(forest.base)
        for tree in forest.trees {
            var index = 0
            while !tree[index].isLeaf {
                let node = tree[index]
                let value = forest.family.reading(row[Int(node.feature)])
                index = Int(node.goesLeft(value, forest.family, forest.sets) ? node.left : node.right)
            }
            sum += Leaf(tree[index].value)
        }
        return sum
    }

    /// Hands the margins of `count` rows to `body`, a block at a time, with the number of the block's first row.
    func margins(
        _ rows: UnsafePointer<Double>, count: Int, width: Int, _ body: (UnsafeMutableBufferPointer<Leaf>, Int) -> Void
    ) {
        let block = 64
        let sums = UnsafeMutableBufferPointer<Leaf>.allocate(capacity: block)
        defer { sums.deallocate() }
        guard let first = sums.baseAddress else { return }
        func each(_ score: (UnsafePointer<Double>, Int) -> Void) {
            var row = 0
            while row < count {
                let size = min(block, count - row)
                score(rows + row * width, size)
                body(UnsafeMutableBufferPointer(start: first, count: size), row)
                row += size
            }
        }
        // A block that is mostly empty costs as much as a full one.
        if count >= 8 {
            switch batch {
            case .planes(let tables):
                let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: tables.scratch, alignment: 64)
                defer { scratch.deallocate() }
                guard let memory = scratch.initializeMemory(as: UInt8.self, repeating: 0).baseAddress else { return }
                return each {
                    tables.margins($0, count: $1, width: width, scratch: UnsafeMutableRawPointer(memory), into: first)
                }
            case .walk(let tables):
                let size = tables.ranker.laneCount * WalkTables<Leaf>.block
                let ranks = UnsafeMutablePointer<UInt16>.allocate(capacity: max(1, size))
                defer { ranks.deallocate() }
                ranks.initialize(repeating: 0, count: size)
                return each { tables.margins($0, count: $1, width: width, ranks: ranks, into: first) }
            case .plain: break
            }
        }
        each { rows, size in for row in 0..<size { first[row] = margin(rows + row * width) } }
    }
}
