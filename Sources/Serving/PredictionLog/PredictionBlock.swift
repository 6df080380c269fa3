internal import Core
internal import Dispatch

/// A group of records that are appended to a log together, all or none.
///
/// They are encoded as they are added, so that neither the records are kept nor the log's lock is held meanwhile.
///
/// ```swift
/// var block = PredictionBlock(log, records: rows.count)
/// for row in rows { block.add(record(row), features: row) }
/// ```
package struct PredictionBlock: ~Copyable {
    private let policy: PredictionLogPolicy
    private let largeBlocks: DispatchSemaphore
    private let memory: RecordMemory
    /// About how many records there will be.
    private let expected: Int
    private var used = 0
    private(set) var count = 0
    /// Of the records that were added, those that the sampling policy leaves out.
    private(set) var leftOut = 0
    /// Why the log does not take the block.
    private(set) var refusal: PredictionLogError?
    private(set) var sources: [PredictionSourceNumber] = []
    /// How long it may wait for the place of a large block; `nil` where it must not become one.
    private let seconds: Double?
    /// Whether the block would have become too large for a thread that must not wait.
    package private(set) var needsWait = false

    /// Starts a block.
    /// - Parameters:
    ///   - records: about how many there will be.
    ///   - mayWait: whether the caller's thread may wait for its turn with a block that is larger than a buffer;
    ///     otherwise such a block is not possible.
    package init(_ log: PredictionLog, records: Int, mayWait: Bool = true) {
        policy = log.policy
        largeBlocks = log.largeBlocks
        memory = RecordMemory(clock: log.writer.context.clock)
        expected = records
        let most = log.mode == .bestEffort ? 0 : policy.blockSeconds
        seconds = mayWait ? most : nil
    }

    /// Size of the encoded records in bytes.
    package var byteCount: Int { used }

    /// The records themselves, for a log that takes them over.
    consuming func handOver() -> LogBuffer.Large { LogBuffer.Large(memory: memory, count: used) }

    /// Encodes a record into the block. Waits while another block larger than a buffer is made or written.
    /// - Parameter features: the row, in place of `record.features`.
    @available(*, noasync)
    package mutating func add(_ record: borrowing PredictionRecord, features: UnsafeBufferPointer<Double>) {
        guard policy.wants(record) else {
            leftOut += 1
            return
        }
        count += 1
        guard refusal == nil else { return }
        guard let size = EncodedSize(record, features: features.count, most: policy.blockBytes - used) else {
            refusal = .tooLarge
            return
        }
        if used + size.total > memory.capacity, !grow(for: size.total) {
            refusal = .busy
            needsWait = seconds == nil
            return
        }
        record.encode(to: memory.base.advanced(by: used), features: features, size)
        used += size.total
        // Nearly always the one of the record before.
        if sources.last != record.source, !sources.contains(record.source) { sources.append(record.source) }
    }

    /// Makes room for a further record of so many bytes, and for those that are expected after it.
    /// - Returns: `false` when it would be large and may not wait, or other large blocks take too long.
    private mutating func grow(for size: Int) -> Bool {
        let isLarge = used + size > policy.bufferBytes
        if isLarge, !memory.isLarge {
            guard let seconds, memory.becomeLarge(largeBlocks, within: seconds) else { return false }
        }
        let wanted = min(max(2 * memory.capacity, size * expected), isLarge ? policy.blockBytes : policy.bufferBytes)
        memory.grow(to: max(used + size, wanted))
        return true
    }
}

/// Memory for encoded records.
final class RecordMemory: @unchecked Sendable {
    // Unchecked: it belongs to one block, and from when that is handed over to the log, as a ``LogBuffer`` does.
    private let clock: any ExecutionClock
    private(set) var base = HeapMemory.allocate(bytes: 0)
    private(set) var capacity = 0
    private var largeBlocks: DispatchSemaphore?

    init(clock: any ExecutionClock) { self.clock = clock }

    deinit {
        HeapMemory.free(base)
        largeBlocks?.signal()
    }

    func grow(to size: Int) {
        base = HeapMemory.resize(base, bytes: size)
        capacity = size
    }

    var isLarge: Bool { largeBlocks != nil }

    /// Takes one of the places that there are for large blocks, until it ends. Blocks.
    /// - Returns: `false` when none was free in time.
    func becomeLarge(_ places: DispatchSemaphore, within seconds: Double) -> Bool {
        guard clock.wait(for: places, seconds: seconds) else { return false }
        largeBlocks = places
        return true
    }
}
