internal import Core
internal import GRDB
internal import Storage

extension MartletError {
    /// Runs `body`, and throws what SQLite reports in it as errors for a person; `path` is the database's file.
    static func from<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as MartletError {
            throw error
        } catch let error as DatabaseError {
            throw MartletError(error, path)
        } catch {
            throw MartletError(
                .machine, "metadata.failed", "The metadata database failed: \(error).", at: .init(file: path))
        }
    }

    static func corrupt(_ path: String, _ finding: String) -> MartletError {
        MartletError(
            .machine, "metadata.corrupt", "This is not a sound SQLite database: \(finding).", at: .init(file: path),
            remedy:
                "Stop what uses it, and restore it from a copy with its -wal file; `sqlite3 FILE .recover` saves what can "
                + "be read. Moved away, `martlet run` makes a new one, without the history, users and tokens.")
    }

    /// Only SQLite's own message is taken over: GRDB's description would also tell statements and values.
    private init(_ error: DatabaseError, _ path: String) {
        let text = error.message ?? "code \(error.extendedResultCode.rawValue)"
        let place = Location(file: path)
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            // SQLite says the same of bytes that the disk does not give.
            do {
                try Disk.scan(path) { _ in true }
                if Disk.permissions(path + "-wal") != nil { try Disk.scan(path + "-wal") { _ in true } }
                guard SQLiteDatabase.isSound(path) else {
                    self = .corrupt(path, text)
                    return
                }
                self.init(
                    .machine, "metadata.failed", "A read of the metadata database failed; the file itself is sound.",
                    at: place, remedy: "Check that the disk is sound, then run the command again.")
            } catch {
                self.init(
                    .machine, "metadata.failed", "The disk failed under the metadata database: \(error)", at: place,
                    remedy: "Check that the disk is sound, then run the command again.")
            }
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(
                .conflict, "metadata.busy", "Another process kept the metadata database locked for too long.",
                at: place, remedy: "Look for another `martlet` at work on this project, and try again.")
        case .SQLITE_FULL:
            self.init(
                .machine, "metadata.full", "The disk is full; nothing of this change was kept.", at: place,
                remedy: "Make room and run the command again.")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            self.init(
                .machine, "metadata.readonly", "The metadata database may not be written: \(text).", at: place,
                remedy: "Give this account the right to write the file and its folder.")
        case .SQLITE_CONSTRAINT:
            self.init(.conflict, "metadata.constraint", "The metadata database refused a change: \(text).", at: place)
        case .SQLITE_CANTOPEN:
            self.init(
                .machine, "metadata.failed", "The metadata database cannot be opened: \(text).", at: place,
                remedy: "Its folder must exist and be writable by this account.")
        case .SQLITE_IOERR:
            self.init(
                .machine, "metadata.failed", "The disk failed under the metadata database: \(text).", at: place,
                remedy: "Check that the disk has room and is sound, then run the command again.")
        default:
            self.init(.machine, "metadata.failed", "The metadata database failed: \(text).", at: place)
        }
    }
}
