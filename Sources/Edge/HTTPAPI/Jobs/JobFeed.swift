internal import Core
internal import Registry
internal import Storage

/// State of one client's stream of a job's events (server-sent events, WHATWG HTML, section 9.2).
///
/// An event's id is `ATTEMPT-BYTES`: how much of which attempt's log was sent by then.
struct JobFeed: Sendable {
    private var attempt: Int
    private var told: Int
    private var status: String?
    private var progress: String?
    private var quiet = 0

    init(lastEventID: String?) {
        let parts = (lastEventID ?? "").split(separator: "-").compactMap { Int($0) }
        (attempt, told) = parts.count == 2 && parts[0] >= 0 && parts[1] >= 0 ? (parts[0], parts[1]) : (0, 0)
    }

    /// Bytes of this attempt's log that were sent.
    func offset(attempt: Int) -> Int { attempt == self.attempt ? told : 0 }

    /// The events since the last call; a comment now and then, so that nobody takes the connection for dead.
    ///
    /// While more of the log is there to be told, nothing else is: a listener that goes at the end has heard all of it.
    mutating func next(_ job: JobView, _ log: JobLog.Piece) -> String {
        if job.attempt != attempt { (attempt, told) = (job.attempt, 0) }
        var out = ""
        if !log.text.isEmpty {
            told = log.end
            out += event("log", data: log.text)
        }
        if log.isMore { return out }
        let state = (try? JSON.text(job.status)) ?? "{}"
        if state != status {
            status = state
            out += event("status", data: state)
        }
        let stand = job.progress.flatMap { try? JSON.text($0) }
        if let stand, stand != progress {
            progress = stand
            out += event("progress", data: stand)
        }
        quiet = out.isEmpty ? quiet + 1 : 0
        if quiet >= 30 {
            quiet = 0
            return ": still here\n\n"
        }
        return out
    }

    private func event(_ name: String, data: String) -> String {
        // The three ends of a line that listeners know, so that nothing in a log can pass for an event's field.
        let lines = data.split(omittingEmptySubsequences: false) { ["\n", "\r", "\r\n"].contains($0) }
        let text = (lines.last == "" && lines.count > 1 ? lines.dropLast() : lines).map { "data: \($0)\n" }.joined()
        return "id: \(attempt)-\(told)\nevent: \(name)\n\(text)\n"
    }
}

/// Reads the log file of an attempt.
enum JobLog {
    /// Most that is read at once.
    static let most = 1 << 20

    /// A part of a log.
    struct Piece: Sendable {
        var text: String
        /// The first byte of the file that is in it, and the one behind the last.
        var start: Int
        var end: Int
        /// Bytes of the file.
        var size: Int
        /// Whether there is more to read at once, because this is as much as is read.
        var isMore: Bool { end < size && end - start > 0 && isCut }
        fileprivate var isCut: Bool
    }

    /// Whole lines from a byte on; a line that is longer than what is read at once comes in parts.
    /// - Parameter isOver: whether nobody writes any more, so that the last line is whole without an end.
    /// - Throws: `disk.read`; nothing is read where there is no file yet.
    static func read(_ path: String, from offset: Int, isOver: Bool) throws -> Piece {
        let size = size(path)
        let start = min(max(0, offset), size)
        var bytes = start < size ? try bytes(path, from: start) : []
        let isCut = bytes.count == most
        if isCut || !isOver {
            if let end = bytes.lastIndex(of: 10) {
                bytes.removeSubrange((end + 1)...)
            } else if isCut {
                // Not in the middle of a character.
                let tail = bytes.suffix(4).reversed().prefix { $0 & 0xC0 == 0x80 }.count
                if tail < 4 { bytes.removeLast(bytes[bytes.count - 1 - tail] >= 0xC0 ? tail + 1 : 0) }
            } else {
                bytes = []
            }
        }
        let end = start + bytes.count
        return Piece(
            text: String(decoding: bytes, as: UTF8.self), start: start, end: end, size: max(size, end), isCut: isCut)
    }

    /// The end of a log, or the part that begins at a byte; what it leaves out is said in it.
    static func page(_ path: String, from offset: Int?) throws -> Piece {
        var start = offset ?? max(0, size(path) - most)
        // The end begins with a line.
        if offset == nil, start > 0 { start += try bytes(path, from: start).firstIndex(of: 10).map { $0 + 1 } ?? 0 }
        var piece = try read(path, from: start, isOver: true)
        if offset == nil, piece.start > 0 {
            piece.text = "[\(piece.start) bytes before this are not shown; ?from=0 begins with them]\n" + piece.text
        }
        if piece.end < piece.size {
            piece.text += "[\(piece.size - piece.end) bytes follow; ?from=\(piece.end) goes on with them]\n"
        }
        return piece
    }

    private static func size(_ path: String) -> Int { Disk.stamp(path).map { Int($0.size) } ?? 0 }

    /// As many bytes as are read at once.
    private static func bytes(_ path: String, from start: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try Disk.scan(path, from: Int64(start)) { piece in
            bytes.append(contentsOf: piece.prefix(most - bytes.count))
            return bytes.count < most
        }
        return bytes
    }
}
