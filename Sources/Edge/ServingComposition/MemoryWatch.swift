internal import Composition
internal import Foundation
internal import Serving
internal import Synchronization

/// Gives back what large requests leave behind: the C library keeps small pieces of memory that are free, in the middle of
/// others, and a server that was asked for much stays as large as it was then. On a thread of its own.
final class MemoryWatch: Sendable {
    private let isOver = Atomic<Bool>(false)

    private static let seconds = 2.0

    func start() {
        Thread.detachNewThread { [self] in
            var plan = TrimPlan()
            var elapsed = 0.0
            while !isOver.load(ordering: .relaxed) {
                SystemPlatform.block(seconds: Self.seconds)
                elapsed += Self.seconds
                guard let before = OwnProcess.memory()?.resident, plan.isWorth(before, at: elapsed) else { continue }
                SystemPlatform.trimMemory()
                plan.trimmed(from: before, to: OwnProcess.memory()?.resident ?? before, at: elapsed)
            }
        }
    }

    func end() { isOver.store(true, ordering: .relaxed) }
}
