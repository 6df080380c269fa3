internal import Core
internal import PredictionLog
internal import Serving
internal import Synchronization

/// A prediction request on its way from its scores to its answer: its rows are logged, and the answer leaves when the
/// log has them.
///
/// The one way from a score to an answer, for the fast path, the router, raw rows and batches.
///
/// ```swift
/// let receipt = request.log(session)
/// try await receipt.settled()  // now the answer may leave
/// ```
struct LoggedRequest: Sendable {
    let slot: ModelSlot
    let requestID: String
    let idempotencyKey: String?
    /// When the request, or the block of a batch, came: seconds of the clock that only goes forward.
    let arrived: Double
    let execution: ExecutionContext

    /// Hands a session's scored rows to the log, on a thread that may wait.
    /// - Parameter first: the number of the first row of a batch's block.
    func log(_ session: ScoringSession, numberedFrom first: Int? = nil) -> LogReceipt {
        let waiter = LogWaiter()
        let admission = log(session, from: .thread, numberedFrom: first) { waiter.acknowledge($0) }
        return LogReceipt(admission: admission ?? .refused(.busy), waiter: waiter)
    }

    /// Hands a session's scored rows to the log.
    /// - Returns: `nil`, with nothing logged, when an event loop cannot do it without waiting.
    func log(
        _ session: ScoringSession, from caller: ScoringSession.LogCaller,
        numberedFrom first: Int? = nil, acknowledged: @escaping PredictionLog.Acknowledgement
    ) -> PredictionLog.Admission? {
        let metadata = ScoringSession.RequestMetadata(
            requestID: requestID, idempotencyKey: idempotencyKey, time: execution.now(),
            latency: Int64((execution.uptime() - arrived) * 1e9))
        let admission = session.log(
            metadata, from: caller, numberedFrom: first, acknowledged: acknowledged)
        if let admission, admission != .refused(.busy) { slot.count(session.scoredRows) }
        return admission
    }
}

/// Rows that were handed to the log by a thread, and the wait for its acknowledgement.
struct LogReceipt: Sendable {
    fileprivate let admission: PredictionLog.Admission
    fileprivate let waiter: LogWaiter

    /// Whether the log cannot take the rows now, and may shortly.
    var isBusy: Bool { admission == .refused(.busy) }
    /// Whether the log has taken the rows.
    var isTaken: Bool { admission == .waiting || admission == .taken }

    /// Returns when the answer may leave.
    /// - Throws: `predictions.*` when it must not.
    func settled() async throws { if try !admission.letsAnswerLeave() { try await waiter.wait() } }
}

/// Lets a task wait for the prediction log's acknowledgement.
private final class LogWaiter: Sendable {
    private struct State {
        var result: Result<Void, PredictionLogError>?
        var continuation: CheckedContinuation<Void, any Error>?
    }

    private let state = Mutex(State())

    /// What the log calls.
    func acknowledge(_ result: Result<Void, PredictionLogError>) {
        let continuation = state.withLock { state in
            state.result = result
            return state.continuation
        }
        continuation?.resume(with: result.mapError { $0.error as any Error })
    }

    /// Returns when the log has acknowledged.
    func wait() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let result = state.withLock { state in
                if state.result == nil { state.continuation = continuation }
                return state.result
            }
            if let result { continuation.resume(with: result.mapError { $0.error as any Error }) }
        }
    }
}
