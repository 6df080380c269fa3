internal import Core
internal import Foundation
internal import Synchronization

extension PredictionLog {
    static func onThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = name
        thread.start()
    }

    /// Both threads hold the log until it is closed.
    func start() {
        Self.onThread("prediction log, writer") { self.write() }
        Self.onThread("prediction log, keeper") { self.keep() }
    }

    /// Seconds between two tries of a full disk.
    static let tryEvery = 0.25

    private enum Turn {
        case write(LogBuffer, [PredictionSource])
        case tick, sleep, finish
    }

    private func write() {
        var spare = LogBuffer(capacity: policy.bufferBytes)
        while true {
            let empty = spare
            let turn = state.withLock { state -> Turn in
                if !state.buffer.isEmpty {
                    let full = state.buffer
                    state.buffer = empty
                    return .write(full, state.sources)
                }
                if state.isClosing { return .finish }
                if state.poked {
                    state.poked = false
                    return .tick
                }
                state.writerSleeps = true
                return .sleep
            }
            switch turn {
            case .sleep: wake.wait()
            case .tick: settle { () throws(PredictionLogError) in try writer.tick() }
            case .write(let batch, let sources):
                if let error = settle({ () throws(PredictionLogError) in try writer.write(batch, sources: sources) }) {
                    writer.shared.withLock { shared in
                        if mode == .bestEffort {
                            shared.counters.dropped += batch.records
                        } else {
                            shared.counters.refused += batch.records
                        }
                    }
                    batch.waiters.tell(.failure(error))
                }
                batch.clear()
                spare = batch
            case .finish:
                if let cause = writer.finish() { state.withLock { $0.condition = .failed(cause) } }
                state.withLock { if case .failed = $0.condition {} else { $0.condition = .closed } }
                done.signal()
                return
            }
        }
    }

    /// Does it, and notes what that says about the disk.
    @discardableResult
    private func settle(_ body: () throws(PredictionLogError) -> Void) -> PredictionLogError? {
        do {
            try body()
            state.withLock { if case .full = $0.condition { $0.condition = .open } }
            return nil
        } catch {
            let isNews = state.withLock { state in
                switch (state.condition, error) {
                case (.failed, _): return false
                case (_, .failed(let cause)):
                    state.condition = .failed(cause)
                    return true
                case (.full, .full): return false
                case (_, .full):
                    state.condition = .full
                    return true
                default: return false
                }
            }
            // The keeper tries the disk from now on. A try of its own that fails is none of its business.
            if isNews { writer.alarm.ring() }
            return error
        }
    }

    /// Makes durable what was acknowledged, minds the age of the segment, tries a full disk, removes what is too old.
    private func keep() {
        var retention = 0.0
        // The writer is asked to try the disk four times a second at most, however often the alarm rings.
        var nextTry = 0.0
        while true {
            let (isFull, hasFailed) = state.withLock { state in
                switch state.condition {
                case .full: (true, false)
                case .failed: (false, true)
                case .open, .closed: (false, false)
                }
            }
            let plan = writer.shared.withLock { shared in
                (
                    finished: shared.isFinished, sync: shared.since.map { $0 + writer.syncSeconds / 2 },
                    segment: shared.segmentDue, retention: shared.isRetentionDue
                )
            }
            if plan.finished { return }
            let now = writer.context.uptime()
            if plan.retention || now >= retention {
                retention = now + 60
                writer.shared.withLock { $0.isRetentionDue = false }
                writer.expire()
            }
            if let due = plan.sync, due <= now {
                if let cause = writer.syncRound() { state.withLock { $0.condition = .failed(cause) } }
                continue
            }
            var until = [retention]
            if let due = plan.sync { until.append(due) }
            if !hasFailed, let due = isFull ? nextTry : plan.segment {
                if due <= now, nextTry <= now {
                    nextTry = now + Self.tryEvery
                    poke()
                }
                until.append(max(due, nextTry))
            }
            writer.alarm.wait(seconds: (until.min() ?? now) - now)
        }
    }

    private func poke() {
        let wakes = state.withLock { state in
            state.poked = true
            defer { state.writerSleeps = false }
            return state.writerSleeps
        }
        if wakes { wake.signal() }
    }
}
