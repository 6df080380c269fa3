internal import CLibrary
package import Core
package import Dispatch
internal import Foundation
internal import Synchronization

/// The clock of all tests: it stands until it is moved, wakes those who sleep in the order of their times, and counts who
/// waits. It makes ids that count, and bytes that differ each time, so that a test always sees the same.
///
/// ```swift
/// let clock = VirtualClock()
/// let task = Task { try await clock.sleep(seconds: 30) }
/// await clock.untilWaiting(1)
/// clock.advance(seconds: 30)
/// try await task.value
/// ```
package final class VirtualClock: ExecutionClock {
    private struct Waiter {
        let number: Int
        /// Uptime, in microseconds.
        let due: Int64
        /// Of a task; `nil` for a thread, which looks by itself.
        let task: CheckedContinuation<Void, any Error>?
    }

    private struct State {
        var wall: Int64
        var uptime: Int64 = 0
        var waits = 0
        var waiting: [Waiter] = []
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var ids = 0
    }

    private let state: Mutex<State>
    private let step: Int64
    private let start: Int64

    /// - Parameters:
    ///   - step: seconds that wall-clock time goes on each time it is read; negative ones go back.
    ///   - start: in seconds since 1970.
    package init(step: Int64 = 0, start: Int64 = 1_700_000_000) {
        self.step = step
        self.start = start
        state = Mutex(State(wall: start * 1_000_000))
    }

    package func context() -> ExecutionContext {
        ExecutionContext(clock: self, newID: { self.id() }, randomBytes: { self.random($0) })
    }

    package func now() -> Timestamp {
        state.withLock { state in
            state.wall += step * 1_000_000
            return Timestamp(microseconds: state.wall)
        }
    }

    /// Wall-clock time, without a step.
    package var time: Timestamp { Timestamp(microseconds: state.withLock { $0.wall }) }

    package func uptime() -> Double { Double(state.withLock { $0.uptime }) / 1e6 }

    /// Moves the clock on, and wakes whoever is due on the way, in the order of their times.
    package func advance(seconds: Double) {
        let target = state.withLock { $0.uptime } + Self.microseconds(seconds)
        while let due = pass(to: target) { due.resume() }
    }

    /// Moves on to the next task that is due, and gives it.
    private func pass(to target: Int64) -> CheckedContinuation<Void, any Error>? {
        state.withLock { state in
            let next = state.waiting.filter { $0.task != nil && $0.due <= target }
                .min { ($0.due, $0.number) < ($1.due, $1.number) }
            let uptime = max(state.uptime, next?.due ?? target)
            state.wall += uptime - state.uptime
            state.uptime = uptime
            if let next { state.waiting.removeAll { $0.number == next.number } }
            return next?.task
        }
    }

    /// Runs what sleeps by this clock: moves it on as long as somebody waits.
    package func passing<Result>(
        steps seconds: Double = 0.5, _ body: () async throws -> Result
    ) async throws -> Result {
        let mover = Task {
            while !Task.isCancelled {
                if waiting > 0 { advance(seconds: seconds) }
                await Task.yield()
            }
        }
        defer { mover.cancel() }
        return try await body()
    }

    /// Sets wall-clock time back, or on; uptime does not change.
    package func set(back seconds: Double) { state.withLock { $0.wall -= Self.microseconds(seconds) } }

    /// How often somebody began to wait.
    package var waits: Int { state.withLock { $0.waits } }

    /// How many wait now.
    package var waiting: Int { state.withLock { $0.waiting.count } }

    /// Returns as soon as so many wait.
    package func untilWaiting(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isSo = state.withLock { state in
                if state.waiting.count < count { state.watchers.append((count, continuation)) }
                return state.waiting.count >= count
            }
            if isSo { continuation.resume() }
        }
    }

    package func sleep(seconds: Double) async throws {
        try Task.checkCancellation()
        guard seconds > 0 else { return }
        let number = state.withLock { state in
            state.waits += 1
            return state.waits
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                begin(number, seconds, continuation)
                // It may have been cancelled before it waited.
                if Task.isCancelled { cancel(number) }
            }
        } onCancel: {
            cancel(number)
        }
    }

    private func cancel(_ number: Int) {
        end(number)?.resume(throwing: CancellationError())
    }

    /// A thread that blocks moves the clock on by itself: where it is the only one, nobody else would.
    @available(*, noasync)
    package func block(seconds: Double) {
        state.withLock { $0.waits += 1 }
        advance(seconds: max(0, seconds))
    }

    @available(*, noasync)
    package func wait(for semaphore: DispatchSemaphore, seconds: Double) -> Bool {
        hold(seconds) { semaphore.wait(timeout: .now() + .milliseconds($0)) == .success }
    }

    @available(*, noasync)
    package func wait(for descriptor: Int32, toWrite: Bool, seconds: Double) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(toWrite ? POLLOUT : POLLIN), revents: 0)
        return hold(seconds) { poll(&entry, 1, Int32($0)) > 0 }
    }

    /// Holds the thread until something comes of the `look`, which may take so many milliseconds, or the time is over.
    private func hold(_ seconds: Double, _ look: (Int) -> Bool) -> Bool {
        if look(0) { return true }
        guard seconds > 0 else { return false }
        let number = state.withLock { state in
            state.waits += 1
            return state.waits
        }
        let due = begin(number, seconds, nil)
        defer { _ = end(number) }
        while state.withLock({ $0.uptime < due }) { if look(2) { return true } }
        return look(0)
    }

    /// - Returns: when it is due.
    @discardableResult
    private func begin(_ number: Int, _ seconds: Double, _ task: CheckedContinuation<Void, any Error>?) -> Int64 {
        let (due, watchers) = state.withLock { state in
            let due = state.uptime + Self.microseconds(seconds)
            state.waiting.append(Waiter(number: number, due: due, task: task))
            let count = state.waiting.count
            defer { state.watchers.removeAll { $0.count <= count } }
            return (due, state.watchers.filter { $0.count <= count })
        }
        for watcher in watchers { watcher.continuation.resume() }
        return due
    }

    private func end(_ number: Int) -> CheckedContinuation<Void, any Error>? {
        state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0.number == number }) else { return nil }
            return state.waiting.remove(at: index).task
        }
    }

    private static func microseconds(_ seconds: Double) -> Int64 { Int64((seconds * 1e6).rounded()) }

    /// Another one each time, 32 hexadecimal digits: when the clock began, as real ids tell their time, and a number that
    /// counts.
    package func id() -> String {
        let number = state.withLock { state in
            state.ids += 1
            return state.ids
        }
        func hex(_ value: some BinaryInteger, _ width: Int) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: width - digits.count) + digits
        }
        return hex(start * 1000, 12) + hex(number, 20)
    }

    /// Bytes that no secret of a test has twice.
    @Sendable package func random(_ count: Int) -> [UInt8] {
        // Knuth's linear congruential generator (MMIX); the last digits of an id count.
        var state = UInt64(id().suffix(16), radix: 16) ?? 0
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }
}
