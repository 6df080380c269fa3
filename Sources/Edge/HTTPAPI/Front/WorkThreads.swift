internal import HTTPTypes
internal import NIOPosix
internal import Synchronization

/// Threads for long work, shared fairly in small pieces among requests.
///
/// One that asks for much delays the others by one piece of work at most. They should have a lower priority than all
/// other threads of the machine, so that single predictions and probes are answered in time whatever stands in the
/// queue.
final class WorkThreads: Sendable {
    private typealias Job = @Sendable (_ isActive: Bool) -> Void

    private struct Jobs {
        var urgent: [Job] = []
        var waiting: [String: [Job]] = [:]
        /// Clients with work that waits, in the order of their turns.
        var turns: [String] = []

        mutating func next() -> Job? {
            if !urgent.isEmpty { return urgent.removeFirst() }
            guard !turns.isEmpty else { return nil }
            let client = turns.removeFirst()
            guard var own = waiting.removeValue(forKey: client), !own.isEmpty else { return next() }
            let job = own.removeFirst()
            if !own.isEmpty {
                waiting[client] = own
                turns.append(client)
            }
            return job
        }
    }

    private let threads: NIOThreadPool
    private let jobs = Mutex(Jobs())
    private let most: Int
    private let yield: @Sendable () -> Void

    /// - Parameters:
    ///   - most: pieces of work of one client that may wait.
    ///   - yield: lets the thread that calls it work when others do not.
    init(_ count: Int, waitingEach most: Int, yield: @escaping @Sendable () -> Void) {
        self.yield = yield
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
        self.most = most
    }

    /// Does a piece of work on one of the threads.
    /// - Parameters:
    ///   - client: whose turn it takes.
    ///   - urgent: whether it goes before all others: the end of work that was begun.
    ///   - isBegun: whether it belongs to work that was let in before, which nothing bounds any more.
    /// - Throws: what the work throws; `serving.share` when too much of this client's work waits, `CancellationError` when
    ///   the threads have ended.
    func run<T: Sendable>(
        for client: String, urgent: Bool = false, isBegun: Bool = false, _ work: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
            let job: Job = { [yield] isActive in
                guard isActive else { return continuation.resume(throwing: CancellationError()) }
                yield()
                continuation.resume(with: Result { try work() })
            }
            let isTaken = jobs.withLock { jobs in
                if urgent {
                    jobs.urgent.append(job)
                    return true
                }
                let own = jobs.waiting[client]?.count ?? 0
                guard isBegun || own < most else { return false }
                // What a client began goes before what it has not begun, so that it holds the memory of few.
                if isBegun {
                    jobs.waiting[client, default: []].insert(job, at: 0)
                } else {
                    jobs.waiting[client, default: []].append(job)
                }
                if own == 0 { jobs.turns.append(client) }
                return true
            }
            guard isTaken else { return continuation.resume(throwing: Problem.share) }
            // As many turns as jobs, each of which takes the one that is first by then.
            threads.submit { state in self.jobs.withLock { $0.next() }?(state == .active) }
        }
    }
}

extension Problem {
    /// Someone asks for more at the same time than their share.
    static var share: Problem {
        var problem = Problem(
            .tooManyRequests, "serving.share", "As many of your requests are at work as may be at the same time.",
            remedy: "Wait for the answers to some of them before you send more.")
        problem.retryAfter = 1
        return problem
    }
}
