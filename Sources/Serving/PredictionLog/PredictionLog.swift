package import Core
internal import Dispatch
internal import Foundation
internal import Storage
internal import Synchronization

/// An append-only, crash-safe log of answered predictions: a folder of checksummed segment files.
///
/// ```swift
/// let log = try PredictionLog.open(folder: home.predictions, mode: .written, policy: policy, context: context)
/// let number = try log.register(source)
/// try await log.append(record)
/// ```
///
/// Invariants:
/// 1. A record that was acknowledged is in a segment: mode `strict` after a power cut too, mode `written` after the
///    death of the process, and after a power cut unless it was acknowledged in the last 100 ms.
/// 2. A failed fsync is never tried again and nothing is acknowledged after it (the PostgreSQL lesson of 2018: the pages
///    may be gone and the next fsync report success). The log has to be opened anew.
/// 3. A full disk leaves whole records only; the log goes on by itself, in a new segment.
/// 4. Memory is bounded by two buffers, by as much for each thread that makes a block, and by the largest block: of those
///    that are more than a buffer holds there is one at a time, and the others wait. What does not fit is refused
///    (`strict`, `written`) or dropped and counted.
/// 5. A segment is written by one process once. A log that is opened anew begins a new one.
///
/// A record is encoded on the thread of the caller, into a buffer under a short lock; those of a ``PredictionBlock`` beside
/// it, and copied in under the lock. One thread swaps the buffer for an empty one and writes it whole, so records that
/// come at once share a write and an fsync. A second thread makes durable what mode `written` has acknowledged.
package final class PredictionLog: Sendable {
    /// Called once when a waiting record or batch is durable or has failed; on a thread of the log, so keep it short.
    package typealias Acknowledgement = @Sendable (Result<Void, PredictionLogError>) -> Void

    /// What happened to an appended record: waiting, taken, sampled out, dropped, or refused.
    package enum Admission: Sendable, Equatable {
        /// The acknowledgement will be called.
        case waiting
        /// Mode `best-effort`: it will be written. The acknowledgement is not called.
        case taken
        /// The sampling policy leaves it out. The acknowledgement is not called.
        case sampledOut
        /// Mode `best-effort`: it was dropped, and counted. The acknowledgement is not called.
        case dropped
        /// It is not logged, and the request must not be answered. The acknowledgement is not called.
        case refused(PredictionLogError)
    }

    struct State {
        enum Condition { case open, full, failed(MartletError), closed }

        var buffer: LogBuffer
        var condition = Condition.open
        var isClosing = false
        var writerSleeps = false
        /// The keeper asks the writer to look at the clock or to try the disk again.
        var poked = false
        var sources: [PredictionSource] = []
        var appended = 0
        var dropped = 0
        var refused = 0
    }

    /// The folder of segments.
    package let folder: SegmentFolder
    /// What an acknowledgement waits for.
    package let mode: PredictionLogMode
    /// Sampling, sizes and retention, as given when the log was opened.
    package let policy: PredictionLogPolicy
    let state: Mutex<State>
    let wake = DispatchSemaphore(value: 0)
    let sampledOut = Atomic<Int>(0)
    let done = DispatchSemaphore(value: 0)
    /// Places of blocks that are more than a buffer holds, from when they grow so large until they are written.
    let largeBlocks = DispatchSemaphore(value: 1)
    let writer: SegmentWriter

    /// Opens the log in a folder, created if needed, as its only writer; recovers what a killed writer left.
    ///
    /// - Throws: `predictions.locked` when another process has it open; `disk.*`.
    package static func open(
        folder path: String, mode: PredictionLogMode = .written, policy: PredictionLogPolicy = .init(),
        disk: some SegmentDisk = RealDisk(), context: ExecutionContext
    ) throws -> PredictionLog {
        var lock = try FileLock("\(path)/lock")
        // A compaction that found no server holds it for a moment, and so may the server that this one replaces.
        for _ in 0..<20 where lock == nil {
            context.clock.block(seconds: 0.05)
            lock = try FileLock("\(path)/lock")
        }
        guard let lock else {
            throw MartletError(
                .conflict, "predictions.locked", "Another process writes the prediction log \(path).",
                remedy: "One server writes the log of a project: stop the other one.")
        }
        let folder = SegmentFolder(path)
        let recovery = try folder.recover()
        let writer = try SegmentWriter(
            folder: folder, lock: lock, mode: mode, policy: policy, disk: disk, context: context,
            recovery: recovery)
        // A log that cannot write says so now, not at the first request.
        try writer.begin()
        return PredictionLog(folder: folder, mode: mode, policy: policy, writer: writer)
    }

    private init(
        folder: SegmentFolder, mode: PredictionLogMode, policy: PredictionLogPolicy, writer: SegmentWriter
    ) {
        self.folder = folder
        self.mode = mode
        self.policy = policy
        self.writer = writer
        state = Mutex(State(buffer: LogBuffer(capacity: policy.bufferBytes)))
        start()
    }

    /// Registers a source of predictions before its first record; the same source gets the same number.
    /// - Throws: `predictions.sources` after 65,536 of them.
    package func register(_ source: PredictionSource) throws -> PredictionSourceNumber {
        try state.withLock { state in
            if let known = state.sources.firstIndex(of: source) { return .init(value: UInt16(known)) }
            guard let number = UInt16(exactly: state.sources.count) else {
                throw MartletError(
                    .conflict, "predictions.sources", "The prediction log has seen 65,536 model versions.",
                    remedy: "Start the server again.")
            }
            state.sources.append(source)
            return .init(value: number)
        }
    }

    /// Counters since the log was opened.
    package var counters: PredictionLogCounters {
        var counters = writer.shared.withLock { $0.counters }
        counters.sampledOut = sampledOut.load(ordering: .relaxed)
        state.withLock { state in
            counters.appended = state.appended
            counters.dropped += state.dropped
            counters.refused += state.refused
            counters.waitingBytes = state.buffer.used + state.buffer.largeBytes
            switch state.condition {
            case .full: counters.isFull = true
            case .failed(let cause):
                counters.hasFailed = true
                counters.failure = cause.message
            case .open, .closed: break
            }
        }
        return counters
    }

    /// Makes everything durable, closes the segment and releases the folder; later records are refused. Idempotent.
    ///
    /// - Throws: `predictions.failed` when what was acknowledged may not be durable.
    @available(*, noasync)
    package func close() throws {
        let (isFirst, sleeps) = state.withLock { state in
            defer {
                state.isClosing = true
                state.writerSleeps = false
            }
            return (!state.isClosing, state.writerSleeps)
        }
        guard isFirst else { return }
        if sleeps { wake.signal() }
        done.wait()
        if case .failed(let cause) = state.withLock({ $0.condition }) { throw PredictionLogError.failed(cause).error }
    }

    /// Closes the log from asynchronous code, waiting on a thread of its own.
    package func shutDown() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Self.onThread("prediction log, closing") {
                continuation.resume(with: Result { try self.close() })
            }
        }
    }
}
