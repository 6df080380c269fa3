/// Buffer of encoded records to be written, with their waiting acknowledgements.
final class LogBuffer: @unchecked Sendable {
    // Unchecked: a buffer belongs either to the log's state, which is reached under its lock only, or to the writer's
    // thread, which swaps it for the other one under that lock. Nobody else has a reference to it.

    struct Waiter {
        let acknowledged: PredictionLog.Acknowledgement
        let courier: AcknowledgementCourier?
    }

    /// Records larger than a buffer, in their own memory.
    struct Large {
        let memory: RecordMemory
        let count: Int
    }

    let base: UnsafeMutableRawPointer
    let capacity: Int
    var used = 0
    private(set) var large: [Large] = []
    private(set) var largeBytes = 0
    var records = 0
    var waiters: [Waiter] = []
    /// The sources of its records, by number.
    var sources: [UInt16] = []

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 64)
        waiters.reserveCapacity(256)
    }

    deinit { base.deallocate() }

    /// All records, in as many pieces as they lie in.
    var pieces: [UnsafeMutableRawBufferPointer] {
        [UnsafeMutableRawBufferPointer(start: base, count: used)]
            + large.map { UnsafeMutableRawBufferPointer(start: $0.memory.base, count: $0.count) }
    }
    var isEmpty: Bool { used == 0 && large.isEmpty }

    func append(_ record: borrowing PredictionRecord, features: UnsafeBufferPointer<Double>, _ size: EncodedSize) {
        record.encode(to: base.advanced(by: used), features: features, size)
        used += size.total
        records += 1
        note(record.source)
    }

    /// Takes over records that are encoded already.
    func append(_ bytes: UnsafeRawBufferPointer, records count: Int, of sources: [PredictionSourceNumber]) {
        if let start = bytes.baseAddress { base.advanced(by: used).copyMemory(from: start, byteCount: bytes.count) }
        used += bytes.count
        records += count
        for source in sources { note(source) }
    }

    /// The same where they are too many to be copied.
    func append(_ large: Large, records count: Int, of sources: [PredictionSourceNumber]) {
        self.large.append(large)
        largeBytes += large.count
        records += count
        for source in sources { note(source) }
    }

    private func note(_ source: PredictionSourceNumber) {
        // Nearly always the one of the record before.
        if sources.last != source.value, !sources.contains(source.value) { sources.append(source.value) }
    }

    func clear() {
        used = 0
        if !large.isEmpty { large.removeAll() }
        largeBytes = 0
        records = 0
        waiters.removeAll(keepingCapacity: true)
        sources.removeAll(keepingCapacity: true)
    }
}

/// Delivers batches of acknowledgements to an event loop; one for each event loop.
///
/// ```swift
/// let courier = AcknowledgementCourier { batch in loop.execute { batch.complete() } }
/// ```
package final class AcknowledgementCourier: Sendable {
    let carry: @Sendable (AcknowledgedBatch) -> Void

    /// Makes a courier.
    /// - Parameter carry: called on the log's own thread; passes the batch to the event loop, which calls `complete()`.
    package init(carry: @escaping @Sendable (AcknowledgedBatch) -> Void) { self.carry = carry }
}

/// Acknowledgements of records that became durable, or failed, together.
package struct AcknowledgedBatch: Sendable {
    let acknowledgements: [PredictionLog.Acknowledgement]
    let result: Result<Void, PredictionLogError>

    /// Calls the acknowledgements.
    package func complete() {
        for acknowledged in acknowledgements { acknowledged(result) }
    }
}

extension [LogBuffer.Waiter] {
    /// Calls all acknowledgements; those with a courier by one call each.
    func tell(_ result: Result<Void, PredictionLogError>) {
        var start = 0
        while start < count {
            guard let courier = self[start].courier else {
                self[start].acknowledged(result)
                start += 1
                continue
            }
            // Those of one courier mostly stand together; those that do not go with a later batch.
            var end = start + 1
            while end < count, self[end].courier === courier { end += 1 }
            courier.carry(AcknowledgedBatch(acknowledgements: self[start..<end].map(\.acknowledged), result: result))
            start = end
        }
    }
}
