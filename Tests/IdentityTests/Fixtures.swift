import Foundation
import Identity
import Registry
import SQLText
import SQLite
import Synchronization
import Testing
import Vocabulary

/// A folder that goes when the test ends.
final class Scratch: Sendable {
    let path: String

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var file: String { path + "/martlet.db" }
}

/// A clock that stands until it is moved, ids that count, and bytes that no secret of a test has twice.
final class Virtual: Sendable {
    private let clock = Mutex<Int64>(1_700_000_000)
    private let count = Mutex(0)

    var surroundings: Surroundings {
        Surroundings(
            actor: "nobody", now: { self.now }, newID: { String(repeating: "0", count: 24) + self.next() },
            uptime: { 0 })
    }

    var now: Timestamp { Timestamp(microseconds: clock.withLock { $0 } * 1_000_000) }
    func advance(seconds: Int64) { clock.withLock { $0 += seconds } }

    @Sendable func random(_ count: Int) -> [UInt8] {
        let seed = next()
        return (0..<count).map { UInt8(truncatingIfNeeded: $0) ^ Array(seed.utf8)[$0 % 8] }
    }

    private func next() -> String {
        let number = count.withLock { count in
            count += 1
            return count
        }
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}

/// The identity of a new file.
struct Gate {
    let scratch: Scratch
    let database: SQLiteDatabase
    let virtual = Virtual()
    let store: IdentityStore

    init() throws {
        scratch = try Scratch()
        database = try SQLiteDatabase(path: scratch.file)
        try ModelRegistry.migrate(database, at: virtual.now)
        store = IdentityStore(
            database, author: Author(actor: "local:ada", request: "r1"), surroundings: virtual.surroundings,
            random: virtual.random)
    }

    func later(_ seconds: Int64) -> Timestamp {
        Timestamp(microseconds: virtual.now.microseconds + seconds * 1_000_000)
    }

    func actions() throws -> [String] { try store.audit(AuditQuery(limit: 1000)).map(\.action) }
}

/// The code of the `MartletError` that `body` throws, or what happened instead.
func code(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "no error"
    } catch let error as MartletError {
        return error.code
    } catch {
        return "another error: \(error)"
    }
}

let good = "correct horse battery staple"
