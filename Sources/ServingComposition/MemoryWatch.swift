internal import Foundation
internal import Machine
internal import Synchronization

/// Gives back what large requests leave behind: the C library keeps small pieces of memory that are free, in the middle of
/// others, and a server that was asked for much stays as large as it was then. On a thread of its own.
final class MemoryWatch: Sendable {
    private let isOver = Atomic<Bool>(false)

    /// Seconds between two looks, and how much more than after the last time is worth it.
    private static let seconds = 5.0
    private static let growth = 1.25

    func start() {
        Thread.detachNewThread { [self] in
            var level = OwnProcess.memory()?.resident ?? .max
            while !isOver.load(ordering: .relaxed) {
                RealWorld.block(seconds: Self.seconds)
                guard let now = OwnProcess.memory()?.resident else { continue }
                level = min(level, now)
                guard Double(now) > Double(level) * Self.growth else { continue }
                RealWorld.trimMemory()
                level = OwnProcess.memory()?.resident ?? now
            }
        }
    }

    func end() { isOver.store(true, ordering: .relaxed) }
}
