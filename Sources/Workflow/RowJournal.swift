package import Vocabulary

/// Raw rows that were received, a JSON line each time, until the lake brings them itself.
///
/// Files of a day, `rows-YYYY-MM-DD.jsonl`, written to by all feature workers of a project, one at a time; each reads
/// what the others wrote. A line that was acknowledged is durable; one that a crash cut off is left out.
package final class RowJournal {
    private let folder: String
    private let now: () -> Timestamp
    /// How far each file has been read.
    private var read: [String: Int] = [:]

    package init(folder: String, surroundings: Surroundings) {
        self.folder = folder
        now = { surroundings.now() }
    }

    /// The lines that were written since the last call, by this worker or others.
    package func news() throws -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for name in try files() {
            let start = read[name] ?? 0
            let (more, end) = try self.lines(of: name, from: start)
            lines += more
            read[name] = end
        }
        return lines
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

    /// Removes files of days long past whose lines nobody needs any more. Nothing is written to them by then, so that nobody
    /// has to wait.
    /// - Parameter isCovered: whether the lake has by now what the lines of a file tell.
    /// - Returns: how many files were removed.
    package func prune(_ isCovered: ([[UInt8]]) throws -> Bool) throws -> Int {
        let first = Timestamp(microseconds: now().microseconds - Int64(Self.daysKept) * 86_400_000_000)
        let kept = "rows-\(first.description.prefix(10)).jsonl"
        var removed = 0
        for name in try files() where name < kept {
            guard try isCovered(lines(of: name, from: 0).lines) else { continue }
            Disk.remove("\(folder)/\(name)")
            removed += 1
        }
        if removed > 0 { try Disk.syncNames(of: folder) }
        return removed
    }

    /// Writes a line durably.
    /// - Parameter before: gets the lines that others wrote in the meantime; they count as earlier.
    package func append(_ line: [UInt8], before: ([[UInt8]]) throws -> Void) throws {
        let lock = try FileLock(waitingFor: "\(folder)/lock")
        try withExtendedLifetime(lock) {
            let earlier = try news()
            if !earlier.isEmpty { try before(earlier) }
            let name = "rows-\(now().description.prefix(10)).jsonl"
            let path = "\(folder)/\(name)"
            let size = Int(Disk.stamp(path)?.size ?? 0)
            // What a crash cut off must not run into this line.
            let torn = size > read[name] ?? 0
            try Disk.append(path, (torn ? [10] : []) + line + [10])
            _ = try Disk.sync(file: path)
            if size == 0 { try Disk.syncNames(of: folder) }
            read[name] = size + (torn ? 1 : 0) + line.count + 1
        }
    }
}
