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
        for name in try Disk.list(folder).sorted() where name.hasSuffix(".jsonl") {
            let path = "\(folder)/\(name)"
            let start = read[name] ?? 0
            guard let size = Disk.stamp(path)?.size, size > start else { continue }
            let bytes = try Disk.read(path)
            guard let end = bytes.lastIndex(of: 10), end >= start else { continue }
            lines += bytes[start...end].split(separator: 10).map(Array.init)
            read[name] = end + 1
        }
        return lines
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
