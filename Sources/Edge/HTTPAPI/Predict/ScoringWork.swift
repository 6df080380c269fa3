package import Core
internal import HTTPTypes
internal import NIOCore
internal import Serving

/// Scores and logs large requests and requests with reasons on dedicated threads.
///
/// A body of megabytes, or rows with reasons, would block the requests of others on the shared threads. Rows with
/// reasons are processed in pieces of about 20 ms, and between two of them it is others' turn.
///
/// ```swift
/// let work = ScoringWork(limits: ScoringLimits(), threads: 2, context: context, yield: SystemPlatform.yieldThread)
/// ```
package struct ScoringWork: Sendable {
    let limits: ScoringLimits
    private let threads: WorkThreads
    private let sessions = ScoringSessionPool()
    private let clock: any ExecutionClock

    /// Steps of attribution that are done as one.
    private static let pieceSteps = 5_000_000
    /// Requests of one client that may wait for a thread.
    private static let waitingEach = 16

    /// Makes the threads.
    /// - Parameter yield: lowers the priority of the thread that calls it.
    package init(
        limits: ScoringLimits, threads: Int, context execution: ExecutionContext,
        yield: @escaping @Sendable () -> Void = {}
    ) {
        self.limits = limits
        self.threads = WorkThreads(threads, waitingEach: Self.waitingEach, yield: yield)
        clock = execution.clock
    }

    /// Reads and scores rows, lets `end` take the answer from the session, logs the rows, and returns when the answer may
    /// leave.
    ///
    /// What is not answered `limits.seconds` from now on is refused.
    /// - Parameters:
    ///   - request: what is logged with the rows.
    ///   - client: whose turn it takes.
    /// - Throws: `serving.late`, `InputFault`, `InputFaults`, `serving.share`, `predict.too-many-reasons`,
    ///   `predictions.*`.
    func answer<T: Sendable>(
        _ call: ScoringCall, _ body: HeldBody, by deployment: any Deployment, _ request: LoggedRequest, client: String,
        end: @escaping @Sendable (ScoringSession, ScoringAnswer) throws -> T
    ) async throws -> T {
        let begun = clock.uptime()
        @Sendable func finish(_ session: ScoringSession, _ answer: ScoringAnswer) throws -> (T, LogReceipt) {
            (try end(session, answer), request.log(session))
        }
        let (answered, receipt) = try await sessions.withSession(for: deployment.route(nil).answering.model) {
            [limits] lent in
            let (answer, finished) = try await piece(client, begun, isFirst: true) {
                let answer = try body.withBytes { bytes in
                    try call.answer(
                        bytes, by: deployment, at: lent.session, requestID: request.requestID, limits: limits
                    ) { rows, model in try limits.check(explainedRows: rows, of: model) }
                }
                return (answer, answer.explainedRows == 0 ? try finish(lent.session, answer) : nil)
            }
            if let finished { return finished }
            // With reasons: by the version that has scored.
            guard let model = lent.session.route?.answering.model else { throw CancellationError() }
            let size = max(1, Self.pieceSteps / model.reasonSteps)
            for start in stride(from: 0, to: answer.explainedRows, by: size) {
                let rows = start..<min(start + size, answer.explainedRows)
                try await piece(client, begun) { try lent.session.explain(rows, by: model) }
            }
            return try await piece(client, begun, urgent: true) {
                lent.session.close()
                return try finish(lent.session, answer)
            }
        }
        try await receipt.settled()
        return answered
    }

    private func piece<T: Sendable>(
        _ client: String, _ begun: Double, isFirst: Bool = false, urgent: Bool = false,
        _ work: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try Task.checkCancellation()
        let (clock, limits) = (clock, limits)
        // What was begun is not refused in its middle for the sake of what came later.
        return try await threads.run(for: client, urgent: urgent, isBegun: !isFirst) {
            guard urgent || clock.uptime() - begun < limits.seconds else {
                throw limits.late
            }
            return try work()
        }
    }
}

extension ScoringLimits {
    var late: Problem {
        var problem = Problem(
            .serviceUnavailable, "serving.late",
            "The request could not be answered within \(Int(seconds)) s: others are worked on too.",
            remedy: "Send it again, with fewer rows, or rows with reasons in several requests.")
        problem.retryAfter = 5
        return problem
    }

    /// Refuses reasons for more rows, or for more work, than one request may ask for.
    func check(explainedRows rows: Int, of model: ServedModel) throws {
        let most = min(
            explainRows, max(1, explainSteps / model.reasonSteps), max(1, explainValues / max(1, model.schema.width)))
        guard rows > most else { return }
        throw Problem(
            .unprocessableContent, "predict.too-many-reasons",
            "Reasons are given for at most \(most) rows of \(model.key) in a request; this one has \(rows).",
            remedy: "Send the rows in several requests, or ask for reasons only where they are read.")
    }
}

/// Thrown by the fast path for requests with reasons, which the router's threads compute.
struct ReasonsElsewhere: Error {}
