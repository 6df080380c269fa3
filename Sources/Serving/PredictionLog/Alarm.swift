internal import Core
internal import Dispatch
internal import Synchronization

/// Timed wait of one thread that another thread can end.
final class Alarm: Sendable {
    private let clock: any ExecutionClock
    private let semaphore = DispatchSemaphore(value: 0)
    private let rings = Atomic<Bool>(false)

    init(clock: any ExecutionClock) { self.clock = clock }

    /// Waits for ``ring()``, at most so many seconds. One that came before is heard at once, several of them once.
    @available(*, noasync)
    func wait(seconds: Double) {
        _ = clock.wait(for: semaphore, seconds: seconds)
        _ = rings.exchange(false, ordering: .acquiringAndReleasing)
    }

    func ring() {
        if !rings.exchange(true, ordering: .acquiringAndReleasing) { semaphore.signal() }
    }
}
