package import Core
internal import Synchronization

/// A clock that goes a step forward each time it is read, and ids that count.
package final class Virtual: Sendable {
    private let clock: Mutex<Int64>
    private let count = Mutex(0)
    private let step: Int64

    /// - Parameters:
    ///   - step: in seconds; 0 is a clock that stands until it is moved, a negative one goes backwards.
    ///   - start: in seconds since 1970.
    package init(step: Int64 = 1, start: Int64 = 1_700_000_000) {
        self.step = step
        clock = Mutex(start)
    }

    package func context(actor: String = "ada") -> ExecutionContext {
        ExecutionContext(actor: actor, now: { self.tick() }, newID: { self.id() }, uptime: { 0 })
    }

    /// What the clock shows, without a step.
    package var now: Timestamp { Timestamp(microseconds: clock.withLock { $0 } * 1_000_000) }

    package func advance(seconds: Int64) { clock.withLock { $0 += seconds } }

    package func id() -> String {
        let number = count.withLock { count in
            count += 1
            return count
        }
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }

    private func tick() -> Timestamp {
        clock.withLock { now in
            now += step
            return Timestamp(microseconds: now * 1_000_000)
        }
    }
}
