internal import PredictionLog
internal import Synchronization

/// Lets a task wait for the prediction log's acknowledgement.
final class LogWaiter: Sendable {
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

    /// Returns when the answer may leave.
    func wait(_ admission: PredictionLog.Admission) async throws {
        switch admission {
        case .taken, .sampledOut, .dropped: return
        case .refused(let error): throw error.error
        case .waiting: break
        }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let result = state.withLock { state in
                if state.result == nil { state.continuation = continuation }
                return state.result
            }
            if let result { continuation.resume(with: result.mapError { $0.error as any Error }) }
        }
    }
}
