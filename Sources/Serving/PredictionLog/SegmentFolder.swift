internal import Core
internal import Storage

/// The folder of a prediction log: its segments, the writer's lock, and recovery.
///
/// ```swift
/// let closed = try SegmentFolder(home.predictions).closed()
/// ```
///
/// ```
/// lock                                       held by the one who writes
/// <log id>-<number>.segment                  closed, or the last one of a log that is open
/// <log id>-<number>.compacted                its rows are in the lake
/// <log id>-<number>-<offset>.torn            a damaged end with records in it, kept by recovery
/// ```
package struct SegmentFolder: Sendable {
    /// A segment file by its name: log id, number, and whether it is compacted.
    package struct Entry: Sendable, Equatable {
        /// Whole path of the file, which is in the log's folder.
        package let path: String
        /// Id of the log's opening, 32 hexadecimal digits; ids sort by time.
        package let log: String
        /// Number of the segment in that log, from 1.
        package let number: Int
        /// Whether its rows are in the lake, so that its name ends with `.compacted`; else `.segment`.
        package let isCompacted: Bool
    }

    /// What was found and repaired when the log was opened.
    package struct Recovery: Sendable, Equatable, Codable {
        /// Segments that were not closed by their writer.
        package var segments = 0
        /// Whole predictions in the segments that were not closed.
        package var records = 0
        /// Bytes behind the last whole record that were cut off.
        package var tornBytes = 0
        /// Segments that had bytes behind their last whole record.
        package var tornSegments = 0
        /// Names of files with damaged ends that were kept under another name.
        package var tornFiles: [String] = []

        enum CodingKeys: String, CodingKey {
            case segments, records
            case tornBytes = "torn_bytes"
            case tornSegments = "torn_segments"
            case tornFiles = "set_aside"
        }

        package init() {}
    }

    /// Path of the folder, `<home>/predictions` in a project; it need not exist.
    package let path: String

    package init(_ path: String) { self.path = path }

    static func name(log: String, number: Int) -> String {
        let digits = String(number)
        return "\(log)-\(String(repeating: "0", count: max(0, 8 - digits.utf8.count)))\(digits)"
    }

    /// Returns all segments, the oldest first.
    package func entries() throws -> [Entry] {
        try Disk.list(path).compactMap { name in
            let halves = name.split(separator: ".")
            guard halves.count == 2, ["segment", "compacted"].contains(halves[1]) else { return nil }
            let parts = halves[0].split(separator: "-")
            guard parts.count == 2, parts[0].utf8.count == 32, let number = Int(parts[1]),
                // A pipe of that name would keep whoever opens it waiting for ever.
                try Disk.kindUnlessMissing("\(path)/\(name)") == .file
            else { return nil }
            return Entry(
                path: "\(path)/\(name)", log: String(parts[0]), number: number, isCompacted: halves[1] == "compacted")
        }
    }

    /// Returns the files with damaged ends that recovery kept for a person to look at, by name.
    package func tornFiles() throws -> [(path: String, bytes: Int64)] {
        try Disk.list(path).filter { $0.hasSuffix(".torn") }.compactMap { name in
            Disk.stamp("\(path)/\(name)", followingLinks: false).map { ("\(path)/\(name)", $0.size) }
        }
    }

    /// Returns the segments that can be read: all but one being created whose header is incomplete.
    package func readable() throws -> [Entry] { try entries().filter { try hasHeader($0) } }

    private func hasHeader(_ entry: Entry) throws -> Bool { try size(entry.path) >= SegmentHeader.bytes }

    /// Returns the total size of all segments in bytes.
    package func bytes() throws -> Int64 {
        try entries().reduce(0) { $0 + (Disk.stamp($1.path)?.size ?? 0) }
    }

    /// Returns the closed segments that are not compacted, the oldest first.
    package func closed() throws -> [Entry] {
        let entries = try entries()
        var last: [String: Int] = [:]
        var begun: Set<String> = []
        for entry in entries {
            // As long as its header is not whole the log may yet go on with the one before.
            guard try hasHeader(entry) else { continue }
            begun.insert(entry.path)
            last[entry.log] = max(last[entry.log] ?? 0, entry.number)
        }
        return try entries.filter { entry in
            // A log never goes back to a segment after it has begun the next.
            try !entry.isCompacted && begun.contains(entry.path)
                && (entry.number < last[entry.log] ?? 0 || hasEnd(entry.path))
        }
    }

    /// The bytes of a segment; 0 for one that has been removed.
    /// - Throws: `disk.failed` for one that cannot be looked at.
    private func size(_ path: String) throws -> Int {
        if let stamp = Disk.stamp(path) { return Int(stamp.size) }
        guard try Disk.kindUnlessMissing(path) == nil else {
            throw MartletError(
                .machine, "disk.failed", "The segment cannot be looked at.", at: .init(file: path),
                remedy: "Try again; if it goes on, check the disk.")
        }
        return 0
    }

    /// Whether the file ends with the mark of a closed segment.
    func hasEnd(_ path: String) throws -> Bool {
        let size = Int64(try size(path))
        guard size >= Int64(SegmentHeader.bytes + Frame.endBytes) else { return false }
        var head: [UInt8] = []
        var end: [UInt8] = []
        do {
            try Disk.scan(path) {
                head += $0.prefix(SegmentHeader.bytes)
                return false
            }
            try Disk.scan(path, from: size - Int64(Frame.endBytes)) {
                end += $0
                return true
            }
        } catch let error as MartletError where error.code == "disk.missing" { return false }
        guard let header = head.withUnsafeBytes({ SegmentHeader($0) }), end.count == Frame.endBytes else {
            return false
        }
        return end.withUnsafeBytes {
            Frame.length($0, salt: header.salt) == Frame.endBytes && $0[8] == Frame.Kind.end.rawValue
        }
    }

    /// Closes the segments of a killed writer: cuts off incomplete records and marks the end.
    ///
    /// Only for the lock's holder.
    package func recover() throws -> Recovery {
        var recovery = Recovery()
        var changed = false
        for entry in try entries() where try !entry.isCompacted && !hasEnd(entry.path) {
            changed = true
            try recover(entry, &recovery)
        }
        if changed { try Disk.syncNames(in: path) }
        return recovery
    }

    private func recover(_ entry: Entry, _ recovery: inout Recovery) throws {
        let size = Int(Disk.stamp(entry.path)?.size ?? 0)
        guard var reader = try? PredictionLogReader(entry.path) else {
            // Killed before the header was whole: no record was ever behind it. Else it is kept for a person.
            if size <= SegmentHeader.bytes { return Disk.remove(entry.path) }
            let aside = "\(entry.path.dropLast(".segment".count))-0.torn"
            recovery.tornFiles.append(Disk.name(of: aside))
            return try Disk.move(entry.path, to: aside)
        }
        while try reader.skip() != nil {}
        recovery.segments += 1
        recovery.records += reader.records
        let torn = size - reader.offset
        if torn > 0 {
            recovery.tornBytes += torn
            recovery.tornSegments += 1
            if try reader.tail() == .damaged {
                let aside = "\(entry.path.dropLast(".segment".count))-\(reader.offset).torn"
                Disk.remove(aside)
                _ = try Disk.copyPart(of: entry.path, from: Int64(reader.offset), to: aside, permissions: 0o600) { _ in
                    nil
                }
                _ = try Disk.sync(file: aside)
                recovery.tornFiles.append(Disk.name(of: aside))
            }
        }
        if reader.records == 0, torn == 0 { return Disk.remove(entry.path) }
        let file = try AppendedFile(continuing: entry.path)
        if torn > 0 { try file.truncate(to: reader.offset) }
        try Failpoint.reach("predictions.recover.cut")
        if !reader.isClosed {
            var end = Frame.end(records: reader.records)
            end.withUnsafeMutableBytes { Frame.seal($0, salt: reader.header.salt) }
            try end.withUnsafeBytes { try file.write($0) }
        }
        try file.sync()
    }
}
