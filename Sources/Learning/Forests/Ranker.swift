// From a row's values to ranks. The columns stand in groups of one rule and one number of search steps, so that the
// branches of the search are the same for column after column.

/// Tables that convert feature values to ranks among the split thresholds. It owns its memory.
///
/// Sendable: its memory is written in `init` and only read afterwards, and freed when nobody holds it.
final class Ranker: @unchecked Sendable {
    /// Columns of one kind, `first` to `last`: of one rule and number of search steps, or of one feature's categories.
    private struct Group {
        var rule: MissingRule
        /// The number of words of 32 categories; 0 for thresholds.
        var words: Int
        /// 2^steps - 1 thresholds, the last of them filled up with infinity.
        var steps: Int
        var first: Int
        var last: Int
    }

    private struct Column {
        /// How far from the beginning of a row.
        var feature: Int32
        /// The number of thresholds: the rank of what always goes right.
        var top: Int32
        /// Where its thresholds begin, or its words: a bit for each category that goes right, one for what is none of
        /// them, one for NaN.
        var start: Int
        /// The first of its lanes, and their number.
        var lane: Int32
        var lanes: Int32
    }

    /// The most rows that are ranked at once.
    static var mostRows: Int { 64 }

    private let groups: UnsafeMutablePointer<Group>
    private let groupCount: Int
    private let columns: UnsafeMutablePointer<Column>
    private let thresholds: UnsafeMutablePointer<Double>
    private let words: UnsafeMutablePointer<UInt32>
    private let isLightGBM: Bool
    /// The most ranks that one lane tells apart, less one: a column with more thresholds has several lanes.
    private let span: Int
    let laneCount: Int
    /// For each column of `ThresholdColumns`: its first lane.
    let firstLane: [Int32]

    /// More words of categories than this are left to the trees' own nodes.
    private static var mostWords: Int { 1 << 22 }

    /// `nil` when the category sets are too large to be laid out side by side.
    init?(_ source: ThresholdColumns, sets: [CategorySet], family: Family, span: Int) {
        func steps(_ count: Int) -> Int { Int.bitWidth - count.leadingZeroBitCount }
        func kind(_ place: Int) -> (Int, Int, Int) {
            let column = source.columns[place]
            if column.set >= 0 { return (1, Int(column.feature), 0) }
            return (0, Int(column.missing.rawValue), steps(source.thresholds[place].count))
        }
        let order = source.columns.indices.sorted { kind($0) != kind($1) ? kind($0) < kind($1) : $0 < $1 }
        var widest: [Int32: Int] = [:]
        for column in source.columns where column.set >= 0 {
            widest[column.feature] = max(widest[column.feature] ?? 1, sets[Int(column.set)].words.count)
        }
        var groups: [Group] = []
        var columns: [Column] = []
        var thresholds: [Double] = []
        var words: [UInt32] = []
        var firstLane = [Int32](repeating: 0, count: source.columns.count)
        var lane = 0
        for (position, place) in order.enumerated() {
            let column = source.columns[place]
            let count = source.thresholds[place].count
            var made = Column(feature: column.feature, top: Int32(count), start: thresholds.count, lane: 0, lanes: 1)
            var width = 0
            if column.set >= 0 {
                width = widest[column.feature] ?? 1
                made.start = words.count
                guard words.count + width < Self.mostWords else { return nil }
                words += column.right(sets[Int(column.set)], width, family)
            } else {
                thresholds += source.thresholds[place]
                let filled = (1 << steps(count)) - 1
                thresholds += [Double](repeating: .infinity, count: filled - count)
            }
            made.lane = Int32(lane)
            made.lanes = Int32((count + span - 1) / span)
            firstLane[place] = Int32(lane)
            lane += Int(made.lanes)
            columns.append(made)
            if let last = groups.last, kind(order[last.first]) == kind(place) {
                groups[groups.count - 1].last = position + 1
            } else {
                groups.append(
                    Group(rule: column.missing, words: width, steps: steps(count), first: position, last: position + 1))
            }
        }
        self.groups = .copy(of: groups)
        groupCount = groups.count
        self.columns = .copy(of: columns)
        self.thresholds = .copy(of: thresholds)
        self.words = .copy(of: words)
        isLightGBM = family == .lightGBM
        self.span = span
        self.firstLane = firstLane
        laneCount = lane
    }

    deinit {
        groups.deallocate()
        columns.deallocate()
        thresholds.deallocate()
        words.deallocate()
    }

    /// Ranks of `count` rows of `width` values into `out`: lane after lane, `stride` places each, the rows side by side.
    ///
    /// `count` is at most `mostRows`. `put(rank)` makes a stored number of a rank from 0 to `span`.
    ///
    /// In bounds: a column's feature is less than `width` (checked when its tree was added), its search reads places
    /// 0 to 2^steps - 2 of its thresholds, and its lanes are less than `laneCount`.
    @inline(__always)
    func rank<Stored>(
        _ rows: UnsafePointer<Double>, count: Int, width: Int, into out: UnsafeMutablePointer<Stored>, stride: Int,
        _ put: (Int) -> Stored
    ) {
        for place in 0..<groupCount {
            let group = groups[place]
            // One loop for each rule, so that none asks for it at every value.
            switch (group.words > 0, group.rule) {
            case (true, _): categories(group, rows, count, width, out, stride, put)
            case (_, .nanAsZero):
                each(group, rows, count, width, out, stride, put) { [self] in
                    let value = read($0)
                    return search(value.isNaN ? 0 : value, $1, group.steps)
                }
            case (_, .nanLeft):
                // Nothing is less than NaN: its rank is 0.
                each(group, rows, count, width, out, stride, put) { [self] in search(read($0), $1, group.steps) }
            case (_, .nanRight):
                each(group, rows, count, width, out, stride, put) { [self] in
                    let rank = search(read($0), $1, group.steps)
                    return rank &+ (Int($1.top) &- rank) &* number($0.isNaN)
                }
            case (_, .zeroLeft):
                each(group, rows, count, width, out, stride, put) { [self] in
                    let value = read($0)
                    return search(value, $1, group.steps) &* number(value < 0 || value > 0)
                }
            case (_, .zeroRight):
                each(group, rows, count, width, out, stride, put) { [self] in
                    let value = read($0)
                    let rank = search(value, $1, group.steps)
                    return Int($1.top) &+ (rank &- Int($1.top)) &* number(value < 0 || value > 0)
                }
            }
        }
    }

    @inline(__always)
    private func each<Stored>(
        _ group: Group, _ rows: UnsafePointer<Double>, _ count: Int, _ width: Int, _ out: UnsafeMutablePointer<Stored>,
        _ stride: Int, _ put: (Int) -> Stored, _ rank: (Double, Column) -> Int
    ) {
        var position = group.first
        while position < group.last {
            let column = columns[position]
            var value = rows + Int(column.feature)
            let lane = out + Int(column.lane) &* stride
            if column.lanes == 1 {
                for row in 0..<count {
                    lane[row] = put(rank(value.pointee, column))
                    value += width
                }
            } else {
                for row in 0..<count {
                    let whole = rank(value.pointee, column)
                    for part in 0..<Int(column.lanes) {
                        lane[part &* stride &+ row] = put(max(0, min(whole &- part &* span, span)))
                    }
                    value += width
                }
            }
            position &+= 1
        }
    }

    /// 1 or 0, without a branch.
    @inline(__always)
    private func number(_ condition: Bool) -> Int { Int(unsafeBitCast(condition, to: UInt8.self)) }

    /// What the library compares.
    @inline(__always)
    private func read(_ value: Double) -> Double {
        isLightGBM ? (abs(value) <= Family.zeroThreshold ? 0 : value) : Double(Float(value))
    }

    /// How many of the column's thresholds are below a value.
    @inline(__always)
    private func search(_ value: Double, _ column: Column, _ steps: Int) -> Int {
        let base = thresholds + column.start
        var place = 0
        var step = steps &- 1
        while step >= 0 {
            place &+= number(base[place &+ (1 &<< step) &- 1] < value) &<< step
            step &-= 1
        }
        return place
    }

    /// Ranks of one feature's category sets: 1 for what goes right.
    @inline(__always)
    private func categories<Stored>(
        _ group: Group, _ rows: UnsafePointer<Double>, _ count: Int, _ width: Int, _ out: UnsafeMutablePointer<Stored>,
        _ stride: Int, _ put: (Int) -> Stored
    ) {
        let values = rows + Int(columns[group.first].feature)
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.mostRows) { codes in
            for row in 0..<count { codes[row] = code(values[row &* width], beyond: group.words &* 32) }
            for position in group.first..<group.last {
                let bits = words + columns[position].start
                let lane = out + Int(columns[position].lane) &* stride
                for row in 0..<count {
                    let code = codes[row]
                    lane[row] = put(Int(bits[Int(code &>> 5)] &>> (code & 31) & 1))
                }
            }
        }
    }

    /// The bit of a value: its category's, or `beyond` for what is none of them, or the one after it for NaN.
    @inline(__always)
    private func code(_ value: Double, beyond: Int) -> UInt32 {
        let most = Double(beyond)
        // LightGBM cuts a value to a whole number, XGBoost takes what is below 0 for no category.
        let isCategory = isLightGBM ? value > -1 && value < most : Float(value) >= 0 && Double(Float(value)) < most
        let place = isCategory ? (isLightGBM ? value : Double(Float(value))) : value.isNaN ? most + 1 : most
        return UInt32(place < 0 ? 0 : place)
    }
}

extension ThresholdColumn {
    /// The bits of what goes right, in `width` words of categories and one more.
    fileprivate func right(_ set: CategorySet, _ width: Int, _ family: Family) -> [UInt32] {
        let members = set.words + [UInt32](repeating: 0, count: width - set.words.count)
        switch family {
        case .lightGBM: return members.map { ~$0 } + [3]
        case .xgboost: return members + [missing == .nanLeft ? 0 : 2]
        }
    }
}

extension UnsafeMutablePointer {
    /// New memory with the elements of an array; to be deallocated by its owner.
    static func copy(of array: [Pointee]) -> UnsafeMutablePointer<Pointee> {
        let memory = UnsafeMutablePointer<Pointee>.allocate(capacity: Swift.max(1, array.count))
        array.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { memory.initialize(from: base, count: source.count) }
        }
        return memory
    }
}
