internal import Core
internal import HTTPTypes
internal import Serving
internal import Synchronization

/// Limits for one batch relative to the bytes its client sent; a small compressed file may have very many rows.
final class BatchBounds: Sendable {
    private struct State {
        /// Bytes that came from the client, packed as they came.
        var received = 0
        var logged = 0
    }

    private let settings: BatchSettings
    private let client: String
    private let clock: any ExecutionClock
    private let state = Mutex(State())

    /// - Parameter client: whose batch it is.
    init(_ settings: BatchSettings, client: String, clock: any ExecutionClock) {
        self.settings = settings
        self.client = client
        self.clock = clock
    }

    func received(_ count: Int) { state.withLock { $0.received += count } }

    func logged(_ count: Int) {
        state.withLock { $0.logged += count }
        settings.quota.add(count, of: client, at: clock.uptime())
    }

    /// Bytes that the batch may add to the log by what has come of it.
    private var allowance: Int { settings.logBytes + settings.logFactor * state.withLock { $0.received } }

    /// The most rows that a file may have all of which has come.
    func mostRows(of model: ServedModel) -> Int {
        guard model.journal != nil else { return settings.rows }
        // A record's numbers, and the shortest id.
        return min(settings.rows, allowance / (8 * model.schema.width + 56))
    }

    /// Refuses to go on.
    /// - Parameter rows: of the batch so far.
    /// - Throws: a `Problem`, 413 or 429.
    func check(rows: Int, of model: ServedModel) throws {
        if rows > settings.rows { throw Self.tooMany(settings.rows) }
        guard model.journal != nil else { return }
        if state.withLock({ $0.logged }) > allowance {
            throw Problem(
                .contentTooLarge, "batch.log",
                "What the batch adds to the prediction log is more than \(settings.logBytes >> 20) MiB and "
                    + "\(settings.logFactor) times its own bytes.",
                remedy: "Send the rows in several files, or as CSV.")
        }
        if let seconds = settings.quota.wait(client, at: clock.uptime()) {
            var problem = Problem(
                .tooManyRequests, "batch.quota",
                "Your batches have added to the prediction log what they may in an hour (\(settings.logBytesPerHour >> 20) MiB).",
                remedy: "Go on in \(seconds) s, or start the server with a larger --batch-log.")
            problem.retryAfter = seconds
            throw problem
        }
    }

    static func tooMany(_ most: Int) -> Problem {
        Problem(
            .contentTooLarge, "batch.too-many-rows", "A batch may have \(most) rows.",
            remedy: "Send the rows in several files, or start the server with a larger --batch-rows.")
    }
}
