/// Records that are handed to a log together, all or none. They are encoded as they are added, so that neither the
/// records are kept nor the log's lock is held meanwhile.
package struct PredictionBlock: ~Copyable {
    private let policy: PredictionLogPolicy
    private var memory: RecordMemory
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
        memory = RecordMemory(max(1, min(records << 9, policy.blockBytes)))
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory.base, count: used) }
    /// Bytes of the records as they are logged.
    package var byteCount: Int { used }

    /// The records themselves, for a log that takes them over.
    consuming func handOver() -> LogBuffer.Large { LogBuffer.Large(memory: memory, count: used) }

    /// - Parameter features: the row, in place of `record.features`.
    package mutating func add(_ record: borrowing PredictionRecord, features: UnsafeBufferPointer<Double>) {
        guard policy.wants(record) else {
            leftOut += 1
            return
        }
        count += 1
        guard !isTooLarge,
            let size = EncodedSize(record, features: features.count, most: policy.blockBytes - used)
        else {
            isTooLarge = true
            return
        }
        if used + size.total > memory.capacity { grow(to: used + size.total) }
        record.encode(to: memory.base.advanced(by: used), features: features, size)
        used += size.total
        // Nearly always the one of the record before.
        if sources.last != record.source, !sources.contains(record.source) { sources.append(record.source) }
    }

    private mutating func grow(to size: Int) {
        let larger = RecordMemory(min(max(size, 2 * memory.capacity), policy.blockBytes))
        larger.base.copyMemory(from: memory.base, byteCount: used)
        memory = larger
    }
}

/// Room for encoded records.
final class RecordMemory: @unchecked Sendable {
    // Unchecked: it belongs to one block, and from when that is handed over to the log, as a ``LogBuffer`` does.
    let base: UnsafeMutableRawPointer
    let capacity: Int

    init(_ capacity: Int) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { base.deallocate() }
}
