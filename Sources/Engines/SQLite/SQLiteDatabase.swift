internal import Core
internal import Foundation
internal import GRDB
package import SQLText
internal import Storage

/// A SQLite file with concurrent readers beside one writer (write-ahead log), durable commits and foreign keys.
///
/// ```swift
/// let database = try SQLiteDatabase(path: home.database, pause: context.clock.block)
/// try database.migrate(MetadataLocation.schema, at: context.now())
/// ```
///
/// Commits use synchronous FULL; a lock that another process holds is waited for up to ten seconds.
///
/// Everything SQLite reports becomes a `MartletError` whose code begins with `metadata.`.
package final class SQLiteDatabase: SQLDatabase {
    package let place: String
    package var dialect: SQLDialect { .sqlite }
    private let connections: any DatabaseWriter
    private let readOnly: Bool

    /// Opens the file at `path`. Its folder must exist.
    ///
    /// With `readOnly` no statement can change anything, and nothing is left behind.
    /// - Parameters:
    ///   - creating: whether a file that is not there is made. Without it, and with `readOnly`, it is refused
    ///     (`metadata.missing`): one that was moved away for a moment must not find another in its place.
    ///   - pause: holds the thread for so many seconds, where another process opens the file at the same time. Once it is
    ///     open SQLite itself waits for the locks of others.
    package init(
        path: String, readOnly: Bool = false, creating: Bool = true, pause: (Double) -> Void
    ) throws {
        place = path
        self.readOnly = readOnly
        if readOnly || !creating, !FileManager.default.fileExists(atPath: path) {
            throw MartletError(
                .missing, "metadata.missing", "There is no metadata database here yet.", at: .init(file: path),
                remedy: "`martlet run` makes it.")
        }
        connections = try MartletError.from(path) {
            readOnly ? try Self.openReading(path) : try Self.openWriting(path, pause)
        }
    }

    /// Runs `body` on a consistent snapshot.
    package func read<Result>(_ body: (any SQLConnection) throws -> Result) throws -> Result {
        try MartletError.from(place) {
            try connections.read { try body(SQLiteConnection(database: $0, path: place)) }
        }
    }

    /// Runs `body` in a durable transaction; one writer at a time.
    package func write<Result>(
        scope: SQLScope, _ body: (any SQLConnection) throws -> Result
    ) throws -> Result {
        guard !readOnly else {
            throw MartletError(
                .defect, "metadata.readonly", "The metadata database was opened for reading only.",
                at: .init(file: place))
        }
        return try MartletError.from(place) {
            try connections.writeWithoutTransaction { database in
                var result: Result?
                // Immediate: the lock is taken at the beginning, so what was read stays true until the commit.
                try database.inTransaction(.immediate) {
                    result = try body(SQLiteConnection(database: database, path: place))
                    try Failpoint.reach("metadata.before-commit")
                    return .commit
                }
                try Failpoint.reach("metadata.after-commit")
                guard let result else {
                    throw MartletError(.defect, "metadata.failed", "A transaction ended without a result.")
                }
                return result
            }
        }
    }

    /// Checks the integrity of the whole file; throws `metadata.corrupt` where SQLite finds damage.
    package func check() throws {
        let findings = try read { try $0.rows("PRAGMA quick_check(1)").map { try $0.text("quick_check") } }
        guard findings == ["ok"] else { throw MartletError.corrupt(place, findings.joined(separator: "; ")) }
    }

    /// Closes the file. Later calls fail; without it the file closes when the last reference is released.
    package func close() throws {
        try MartletError.from(place) {
            // GRDB closes the writer first, and a reader that closes last cannot clear the write-ahead log away.
            (connections as? DatabasePool)?.invalidateReadOnlyConnections()
            try connections.close()
        }
    }

    private static let patienceMilliseconds = 10_000

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.label = "metadata"
        configuration.busyMode = .timeout(Double(patienceMilliseconds) / 1_000)
        configuration.foreignKeysEnabled = true
        // A statement with "text" in double quotes is a mistake, as it is on every other engine.
        configuration.acceptsDoubleQuotedStringLiterals = false
        return configuration
    }

    private static func openWriting(_ path: String, _ pause: (Double) -> Void) throws -> any DatabaseWriter {
        keepToAccount(path)
        var patience = 5
        while true {
            do {
                let pool = try DatabasePool(path: path, configuration: configuration())
                // After opening: GRDB sets NORMAL when it turns the write-ahead log on.
                try pool.writeWithoutTransaction { database in
                    try database.execute(sql: "PRAGMA synchronous = FULL")
                    try refuseReadOnly(database)
                }
                return pool
            } catch let error as DatabaseError
                where error.resultCode == .SQLITE_READONLY && patience > 0
                && FileManager.default.isWritableFile(atPath: path)
            {
                patience -= 1
                pause(0.05)
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && patience > 0 {
                // When two processes make the file at once, turning the write-ahead log on can fail at once: SQLite
                // does not wait where both would wait for each other.
                patience -= 1
                pause(0.05)
            }
        }
    }

    /// Where a file cannot be opened for writing, for want of descriptors or since the disk failed for a moment, SQLite
    /// opens it for reading and says nothing, and whoever keeps the connection could never write again. Only writing
    /// tells: to begin, immediate as it may be, reads where nothing else is possible. Waits for no lock.
    private static func refuseReadOnly(_ database: Database) throws {
        try database.execute(sql: "PRAGMA busy_timeout = 0")
        defer { try? database.execute(sql: "PRAGMA busy_timeout = \(patienceMilliseconds)") }
        do {
            try database.inTransaction(.immediate) {
                let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
                try database.execute(sql: "PRAGMA user_version = \(version)")
                return .rollback
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            // Another one writes; where nobody could write here, there would have been nothing to wait for.
        }
    }

    /// The file holds digests of tokens and passwords: only its account may read it. SQLite gives its side files (-wal,
    /// -shm) the same permissions. What cannot be changed, since it is another's, stays.
    private static func keepToAccount(_ path: String) {
        if let permissions = Disk.permissions(path) {
            if permissions & 0o077 != 0 { chmod(path, mode_t(permissions & 0o700)) }
            return
        }
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        if file >= 0 { Foundation.close(file) }
    }

    /// Whether a connection of its own finds no damage in the whole file, indexes included: SQLite reports a failed read of
    /// the write-ahead log as damage, and whoever believes that discards a sound file.
    static func isSound(_ path: String) -> Bool {
        let findings = try? openReading(path).read { try String.fetchAll($0, sql: "PRAGMA integrity_check(1)") }
        return findings == ["ok"]
    }

    private static func openReading(_ path: String) throws -> any DatabaseWriter {
        var configuration = configuration()
        // A connection that may write removes SQLite's side files (-wal, -shm) when it closes as the last one; a
        // read-only one would leave them behind. `read` refuses changes on either, `write` is refused above.
        configuration.readonly = !FileManager.default.isWritableFile(atPath: path)
        let folder = (path as NSString).deletingLastPathComponent
        let log = (try? FileManager.default.attributesOfItem(atPath: path + "-wal"))?[.size] as? Int ?? 0
        let name = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
        if configuration.readonly, !FileManager.default.isWritableFile(atPath: folder), log == 0 {
            // Nobody can write here, and SQLite could not make its side files: the file is read as it stands.
            return try DatabaseQueue(path: "file:\(name)?immutable=1", configuration: configuration)
        }
        // Not made when it went away since it was looked for.
        let mode = configuration.readonly ? "ro" : "rw"
        return try DatabaseQueue(path: "file:\(name)?mode=\(mode)", configuration: configuration)
    }
}
