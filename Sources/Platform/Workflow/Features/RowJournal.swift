package import Core
internal import Storage

/// Durable journal of received raw rows, kept until ingestion brings them into the lake.
///
/// One file a day, `rows-YYYY-MM-DD.jsonl`, shared by all feature workers of a project, one writer at a time; each
/// reads what the others wrote. A line that was acknowledged is durable; one that a crash cut off is skipped.
///
/// ```swift
/// let journal = RowJournal(folder: home.rawRows, context: context)
/// try journal.news { lines in try take(lines) }
/// ```
package final class RowJournal {
    private let folder: String
    private let now: () -> Timestamp
    /// How far each file has been read.
    private var read: [String: Int] = [:]

    package init(folder: String, context: ExecutionContext) {
        self.folder = folder
        now = { context.now() }
    }

    /// Passes the lines written since the last call, by any worker, to the closure; they count as read when it returns.
    package func news(_ body: ([[UInt8]]) throws -> Void) throws {
        var lines: [[UInt8]] = []
        var ends: [String: Int] = [:]
        for name in try files() {
            let (more, end) = try self.lines(of: name, from: read[name] ?? 0)
            lines += more
            ends[name] = end
        }
        if !lines.isEmpty { try body(lines) }
        read.merge(ends) { $1 }
    }

    private func files() throws -> [String] { try Disk.list(folder).sorted().filter { $0.hasSuffix(".jsonl") } }

    /// The whole lines of a file from a byte on, and the byte behind the last of them.
    private func lines(of name: String, from start: Int) throws -> (lines: [[UInt8]], end: Int) {
        let path = "\(folder)/\(name)"
        guard let size = Disk.stamp(path)?.size, size > start else { return ([], start) }
        var bytes: [UInt8] = []
        try Disk.scan(path, from: Int64(start)) { piece in
            bytes.append(contentsOf: piece)
            return true
        }
        guard let end = bytes.lastIndex(of: 10) else { return ([], start) }
        return (bytes[...end].split(separator: 10).map(Array.init), start + end + 1)
    }

    /// Days for which a file stays whatever the lake has: other workers, with the lake as it was, may not have read it yet.
    private static let daysKept = 7

    /// Removes files of past days whose lines are all in the lake.
    /// - Parameter covered: the sources of which the lake has by now what the lines of a file tell, as far as this worker
    ///   can judge, and all sources that the lines have.
    /// - Returns: how many files were removed.
    package func prune(_ covered: ([[UInt8]]) throws -> (covered: Set<String>, all: Set<String>)) throws -> Int {
        let first = Timestamp(microseconds: now().microseconds - Int64(Self.daysKept) * 86_400_000_000)
        let kept = "rows-\(first.description.prefix(10)).jsonl"
        var removed = 0
        for name in try files() where name < kept {
            var (own, all) = try covered(lines(of: name, from: 0).lines)
            // Each model's worker knows the sources of its model only: what it has found is kept for the others.
            let notes = "\(folder)/\(name).covered"
            // Without them all is judged anew.
            let noted = Set((try? JSON.decode([String].self, from: Disk.read(notes))) ?? [])
            own.formUnion(noted)
            if own.isSuperset(of: all) {
                try Disk.delete("\(folder)/\(name)")
                Disk.remove(notes)
                removed += 1
            } else if own != noted {
                Disk.remove(notes)
                try Disk.append(notes, JSON.encode(own.sorted()))
            }
        }
        if removed > 0 { try Disk.syncNames(of: folder) }
        return removed
    }

    /// Thrown when a line could neither be written nor be undone, so that it is unknown whether it counts.
    struct Uncertain: Error {}

    /// Writes a line durably, or nothing.
    /// - Parameter line: gets the lines that others wrote in the meantime, which count as earlier, and makes the line.
    /// - Throws: ``Uncertain``; after all else nothing was written.
    package func append(_ line: ([[UInt8]]) throws -> [UInt8]?) throws {
        let lock = try FileLock(waitingFor: "\(folder)/lock")
        try withExtendedLifetime(lock) {
            var made: [UInt8]?
            var isMade = false
            try news {
                made = try line($0)
                isMade = true
            }
            if !isMade { made = try line([]) }
            guard let made else { return }
            let name = "rows-\(now().description.prefix(10)).jsonl"
            let path = "\(folder)/\(name)"
            let size = Int(Disk.stamp(path)?.size ?? 0)
            // What a crash cut off must not run into this line.
            let torn = size > read[name] ?? 0
            do {
                try Disk.append(path, (torn ? [10] : []) + made + [10])
                _ = try Disk.sync(file: path)
                if size == 0 { try Disk.syncNames(of: folder) }
            } catch {
                // A line that the client is told has failed must not count later.
                if Disk.exists(path) {
                    do { try AppendedFile(continuing: path).truncate(to: size) } catch { throw Uncertain() }
                }
                throw error
            }
            read[name] = size + (torn ? 1 : 0) + made.count + 1
        }
    }
}
