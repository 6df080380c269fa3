internal import Registry
internal import Vocabulary

/// What has been told of a job to one listener, and what is to be told next, as server-sent events (WHATWG HTML,
/// section 9.2). An event's id is `ATTEMPT-BYTES`: how much of which attempt's log was told by then.
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

    /// Bytes of this attempt's log that were told.
    func offset(attempt: Int) -> Int { attempt == self.attempt ? told : 0 }

    /// The events since the last call; a comment now and then, so that nobody takes the connection for dead.
    mutating func next(_ job: JobView, _ log: (text: String, end: Int)) -> String {
        if job.attempt != attempt { (attempt, told) = (job.attempt, 0) }
        var out = ""
        if !log.text.isEmpty {
            told = log.end
            out += event("log", data: log.text)
        }
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

/// The file of what an attempt said.
enum JobLog {
    /// Most that is read at once.
    static let most = 1 << 20

    /// Whole lines from a byte on, and the byte behind them; nothing when there is no file yet.
    static func read(_ path: String, from offset: Int) -> (text: String, end: Int) {
        var bytes: [UInt8] = []
        guard Disk.exists(path) else { return ("", offset) }
        try? Disk.scan(path, from: Int64(offset)) { piece in
            bytes.append(contentsOf: piece.prefix(most - bytes.count))
            return bytes.count < most
        }
        guard let end = bytes.lastIndex(of: 10) else { return ("", offset) }
        return (String(decoding: bytes[...end], as: UTF8.self), offset + end + 1)
    }
}
