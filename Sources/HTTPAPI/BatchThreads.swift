internal import NIOPosix
internal import Synchronization

/// The threads that work on batches. What is urgent goes first: a block that was scored is answered before the next ones
/// are scored, so that there are always some to score while others are on their way.
final class BatchThreads: Sendable {
    private struct Jobs {
        var urgent: [@Sendable (Bool) -> Void] = []
        var others: [@Sendable (Bool) -> Void] = []
    }

    private let threads: NIOThreadPool
    private let jobs = Mutex(Jobs())

    init(_ count: Int) {
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
    }

    /// Does the work on one of the threads.
    /// - Throws: what the work throws; `CancellationError` when the threads have ended.
    func run<T: Sendable>(urgent: Bool, _ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
            let job: @Sendable (Bool) -> Void = { isActive in
                if isActive { return continuation.resume(with: Result { try work() }) }
                continuation.resume(throwing: CancellationError())
            }
            jobs.withLock { if urgent { $0.urgent.append(job) } else { $0.others.append(job) } }
            // As many turns as jobs, each of which takes the one that is first by then.
            threads.submit { state in self.next()?(state == .active) }
        }
    }

    private func next() -> (@Sendable (Bool) -> Void)? {
        jobs.withLock { jobs in
            if !jobs.urgent.isEmpty { return jobs.urgent.removeFirst() }
            return jobs.others.isEmpty ? nil : jobs.others.removeFirst()
        }
    }
}
