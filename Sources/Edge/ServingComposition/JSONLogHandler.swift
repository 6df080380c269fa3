internal import CLibrary
internal import Core
internal import Logging

/// Log handler that writes one JSON line to stderr for each entry: time, level, message, and metadata.
struct JSONLogHandler: LogHandler {
    let now: @Sendable () -> Timestamp
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var members: [String: JSONValue] = [
            "time": .text("\(now())"), "level": .text(event.level.rawValue), "message": .text("\(event.message)"),
        ]
        for (key, value) in metadata { members[key] = .text("\(value)") }
        for (key, value) in event.metadata ?? [:] { members[key] = .text("\(value)") }
        FileHandleText.error((try? JSON.text(JSONValue.object(members))) ?? "\(event.message)")
    }
}

/// Writes whole lines to stderr, one write each.
enum FileHandleText {
    static func error(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    }
}
