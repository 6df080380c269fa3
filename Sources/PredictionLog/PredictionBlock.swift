/// Records that are handed to a log together, all or none. They are encoded as they are added, so that neither the
/// records are kept nor the log's lock is held meanwhile.
package struct PredictionBlock: ~Copyable {
    private let policy: PredictionLogPolicy
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private var used = 0
    private(set) var count = 0
    /// Of the records that were added, those that the sampling policy leaves out.
    private(set) var leftOut = 0
    /// Whether the log can never take the block.
    private(set) var isTooLarge = false
    private(set) var sources: [PredictionSourceNumber] = []

    /// - Parameter records: about how many there will be.
    package init(_ log: PredictionLog, records: Int) {
        policy = log.policy
        capacity = max(1, min(records << 9, policy.bufferBytes))
        base = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: used) }

    /// - Parameter features: the row, in place of `record.features`.
    package mutating func add(_ record: borrowing PredictionRecord, features: UnsafeBufferPointer<Double>) {
        guard policy.wants(record) else {
            leftOut += 1
            return
        }
        count += 1
        guard !isTooLarge,
            let size = EncodedSize(record, features: features.count, most: policy.bufferBytes - used)
        else {
            isTooLarge = true
            return
        }
        if used + size.total > capacity { grow(to: used + size.total) }
        record.encode(to: base.advanced(by: used), features: features, size)
        used += size.total
        // Nearly always the one of the record before.
        if sources.last != record.source, !sources.contains(record.source) { sources.append(record.source) }
    }

    private mutating func grow(to size: Int) {
        capacity = min(max(size, 2 * capacity), policy.bufferBytes)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
        larger.copyMemory(from: base, byteCount: used)
        base.deallocate()
        base = larger
    }
}
