internal import Core
internal import Dispatch
package import SQLText
internal import Storage
internal import Synchronization

/// A PostgreSQL database (15 or later) through libpq: a connection pool, durable commits and one lock for each scope.
///
/// A scope's lock keeps what a writing transaction has read true until it commits.
///
/// ```swift
/// let database = try PostgresDatabase(PostgresAddress("postgres://martlet@localhost/martlet"), pause: clock.block)
/// let count = try database.read { try $0.row("SELECT COUNT(*) AS n FROM runs")?.int("n") }
/// ```
///
/// A transaction that the server undid because of another one (40001, 40P01) is run again, and one that found its
/// connection dead before it began takes another. A body may therefore run several times; only its last run counts.
/// Everything the server reports becomes a `MartletError` whose code begins with `metadata.`.
package final class PostgresDatabase: SQLDatabase {
    package var place: String { address.place }
    package var dialect: SQLDialect { .postgresql }

    private let address: PostgresAddress
    private let readOnly: Bool
    private let patience: Double
    private let pause: @Sendable (Double) -> Void
    private let idle = Mutex<[PostgresSession]>([])
    private let places: DispatchSemaphore

    /// Connects to the server once, so that a wrong address is reported at once.
    /// - Parameters:
    ///   - readOnly: refuses every change.
    ///   - connections: how many may be open at once; further callers wait for one.
    ///   - patience: seconds during which a server that does not answer is asked again: here, and by writers. A reader is
    ///     told at once: whoever reads again and again must not hold threads that others need.
    ///   - pause: blocks the thread for so many seconds.
    package init(
        _ address: PostgresAddress, readOnly: Bool = false, connections: Int = 8, patience: Double = 10,
        pause: @escaping @Sendable (Double) -> Void
    ) throws {
        self.address = address
        self.readOnly = readOnly
        self.patience = patience
        self.pause = pause
        places = DispatchSemaphore(value: connections)
        let session = try connect(patience)
        idle.withLock { $0.append(session) }
    }

    /// Runs `body` on a consistent snapshot.
    package func read<Result>(_ body: (any SQLConnection) throws -> Result) throws -> Result {
        try transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", scope: nil, body)
    }

    /// Runs `body` in a durable transaction under the scope's lock.
    package func write<Result>(
        scope: SQLScope, _ body: (any SQLConnection) throws -> Result
    ) throws -> Result {
        guard !readOnly else {
            throw MartletError(
                .defect, "metadata.readonly", "The metadata database was opened for reading only.",
                at: .init(file: place))
        }
        // Each statement sees what is committed when it begins; the lock keeps the scope's other writers out.
        return try transaction("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", scope: scope, body)
    }

    private static let mostTries = 10

    private func transaction<Result>(
        _ begin: String, scope: SQLScope?, _ body: (any SQLConnection) throws -> Result
    ) throws -> Result {
        places.wait()
        defer { places.signal() }
        var tries = 0
        while true {
            tries += 1
            let session = try started(begin, scope == nil ? 0 : patience)
            do {
                let connection = PostgresConnection(session: session)
                if let scope { try connection.lock(scope) }
                let result = try body(connection)
                if scope != nil { try Failpoint.reach("metadata.before-commit") }
                try commit(session, isWriting: scope != nil)
                giveBack(session)
                if scope != nil { try Failpoint.reach("metadata.after-commit") }
                return result
            } catch let fault as PostgresFault {
                undo(session)
                guard fault.isRepeatable, tries < Self.mostTries else { throw MartletError(fault, place) }
                // Longer each time, and not the same for all: whoever met once should not meet again.
                let jitter = 0.5 + Double(session.processID % 64) / 64
                pause(0.002 * Double(1 << min(tries, 7)) * jitter)
            } catch {
                undo(session)
                throw (error as? MartletError)
                    ?? MartletError(
                        .machine, "metadata.failed", "The metadata database failed: \(error).",
                        at: .init(file: place))
            }
        }
    }

    /// A session with a transaction begun: one of the pool if it is still alive, else a new one.
    private func started(_ begin: String, _ patience: Double) throws -> PostgresSession {
        while let session = idle.withLock({ $0.popLast() }) {
            // Dead ones are found here: a server that was started anew knows none of its old connections.
            if session.isOpen, (try? session.execute(begin)) != nil { return session }
        }
        let session = try connect(patience)
        do { try session.execute(begin) } catch let fault as PostgresFault { throw MartletError(fault, place) }
        return session
    }

    private func commit(_ session: PostgresSession, isWriting: Bool) throws {
        do { try session.commit() } catch let fault as PostgresFault {
            guard fault.isAway, isWriting else { throw fault }
            throw MartletError.undecided(place)
        }
    }

    private func connect(_ patience: Double) throws -> PostgresSession {
        var waited = 0.0
        var step = 0.1
        while true {
            do { return try PostgresSession(address) } catch let error as MartletError
                where error.code == "metadata.away" && waited < patience
            {
                pause(step)
                waited += step
                step = min(1, step * 2)
            }
        }
    }

    private func giveBack(_ session: PostgresSession) {
        guard session.isOpen, !session.isInTransaction else { return }
        idle.withLock { $0.append(session) }
    }

    private func undo(_ session: PostgresSession) {
        guard session.isOpen, (try? session.execute("ROLLBACK")) != nil else { return }
        giveBack(session)
    }

    /// Closes the idle connections.
    package func close() { idle.withLock { $0.removeAll() } }
}
