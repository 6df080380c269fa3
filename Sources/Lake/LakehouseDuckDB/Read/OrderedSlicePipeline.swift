internal import Dispatch
internal import SourceFormats
internal import Synchronization

/// Processes slices in parallel lanes, with an ordered part for what depends on the slices before.
///
/// A lane takes the next slice only after its last one is settled, so that no lane waits for a slice that nobody has.
final class OrderedSlicePipeline: Sendable {
    /// The work of a lane: `stage` runs in parallel, `settle` in the order of the slices.
    ///
    /// Why `@unchecked Sendable` holds: `stage` touches nothing but what is the lane's own, and `settle` runs for one lane at a time, each after the one
    /// before has handed over under a lock: so no two threads touch the same thing.
    private struct Work: @unchecked Sendable {
        let stage: (Int, any RecordPiece) throws -> Void
        let settle: (Int, Int) throws -> Void
    }

    private struct State {
        /// The slice whose turn it is.
        var turn = 0
        var lastLane = 0
        var failure: (number: Int, error: any Error)?
        var waiting: [Int: DispatchSemaphore] = [:]
    }

    private let slices: Mutex<(queue: SliceQueue, number: Int)>
    private let state = Mutex(State())

    init(_ slices: SliceQueue) { self.slices = Mutex((slices, 0)) }

    /// The lane that settled the last slice.
    var lastLane: Int { state.withLock { $0.lastLane } }

    /// Runs the lanes to the end of the slices; no new slice is begun after a failure.
    /// - Parameters:
    ///   - stage: for a lane and a slice; runs at the same time as other lanes' work.
    ///   - settle: for a lane and the number of its slice; runs while no other lane's does, in the order of the slices.
    /// - Throws: what the first slice that failed has thrown.
    func run(
        lanes: Int, stage: @escaping (_ lane: Int, _ slice: any RecordPiece) throws -> Void,
        settle: @escaping (_ lane: Int, _ number: Int) throws -> Void
    ) throws {
        let work = Work(stage: stage, settle: settle)
        DispatchQueue.concurrentPerform(iterations: lanes) { lane in
            while let (number, slice) = next() {
                do {
                    try work.stage(lane, slice)
                    guard waitForTurn(number) else { return }
                    try work.settle(lane, number)
                    pass(number, lane)
                } catch {
                    fail(number, error)
                    return
                }
            }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure.error }
    }

    private func next() -> (Int, any RecordPiece)? {
        slices.withLock { slices in
            guard state.withLock({ $0.failure == nil }) else { return nil }
            let number = slices.number
            do {
                guard let slice = try slices.queue.next() else { return nil }
                slices.number += 1
                return (number, slice)
            } catch {
                fail(number, error)
                return nil
            }
        }
    }

    /// Waits for the slices before; `false` when it will never be this one's turn.
    private func waitForTurn(_ number: Int) -> Bool {
        let semaphore: DispatchSemaphore? = state.withLock { state in
            if state.turn == number || state.failure.map({ $0.number < number }) ?? false { return nil }
            let semaphore = DispatchSemaphore(value: 0)
            state.waiting[number] = semaphore
            return semaphore
        }
        semaphore?.wait()
        return state.withLock { $0.turn == number }
    }

    private func pass(_ number: Int, _ lane: Int) {
        state.withLock { state in
            state.turn = number + 1
            state.lastLane = lane
            state.waiting.removeValue(forKey: number + 1)?.signal()
        }
    }

    private func fail(_ number: Int, _ error: any Error) {
        state.withLock { state in
            if state.failure.map({ number < $0.number }) ?? true { state.failure = (number, error) }
            for (waiting, semaphore) in state.waiting where waiting > number {
                state.waiting[waiting] = nil
                semaphore.signal()
            }
        }
    }
}

/// Reads the next slice on a thread of its own while earlier ones are processed.
///
/// Why `@unchecked Sendable` holds: one thread at a time calls (`OrderedSlicePipeline` does so under its lock), one reads, and
/// never both at once touch the same field. From `queue.async` to `done.signal()` the reading thread alone uses `reader`
/// and `outcome`; the caller touches them only after `done.wait()`, which the signal happens before. `isReading` is the
/// caller's alone.
final class SliceQueue: @unchecked Sendable {
    private let reader: any SourceReader
    private let queue = DispatchQueue(label: "martlet.slices")
    private let done = DispatchSemaphore(value: 0)
    private var outcome: Result<(any RecordPiece)?, any Error> = .success(nil)
    private var isReading = false

    init(_ reader: any SourceReader) {
        self.reader = reader
        start()
    }

    private func start() {
        isReading = true
        queue.async { [self] in
            outcome = Result { try reader.next() }
            done.signal()
        }
    }

    /// The next slice; `nil` after the last.
    func next() throws -> (any RecordPiece)? {
        guard isReading else { return nil }
        done.wait()
        isReading = false
        guard let slice = try outcome.get() else {
            guard reader.isExhausted else {
                throw FileRefusal("not all of it was read, which is a fault of Martlet; nothing of it is taken")
            }
            return nil
        }
        outcome = .success(nil)
        start()
        return slice
    }

    /// Ends the reading.
    func close() {
        if isReading { done.wait() }
        isReading = false
    }
}
