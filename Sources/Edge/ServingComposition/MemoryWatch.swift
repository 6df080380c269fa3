internal import Composition
internal import Core
internal import Foundation
internal import Serving
internal import Synchronization

/// Returns free memory to the system after large requests, on a thread of its own.
///
/// The C library keeps small pieces of memory that are free, in the middle of others, and a server that was asked for
/// much stays as large as it was then.
final class MemoryWatch: Sendable {
    private let isOver = Atomic<Bool>(false)

    private let clock: any ExecutionClock

    private static let seconds = 2.0

    init(clock: any ExecutionClock) { self.clock = clock }

    func start() {
        Thread.detachNewThread { [self] in
            var plan = TrimPlan()
            while !isOver.load(ordering: .relaxed) {
                clock.block(seconds: Self.seconds)
                let now = clock.uptime()
                guard let before = OwnProcess.memory()?.resident, plan.isWorth(before, at: now) else { continue }
                SystemPlatform.trimMemory()
                plan.trimmed(from: before, to: OwnProcess.memory()?.resident ?? before, at: now)
            }
        }
    }

    func end() { isOver.store(true, ordering: .relaxed) }
}
