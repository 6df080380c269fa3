internal import CLibrary
internal import Composition
internal import Core
internal import Logging

/// Log handler that writes readable lines to stderr: time of day (UTC), level, message, `name=value` metadata.
struct TerminalLogHandler: LogHandler {
    let now: @Sendable () -> Timestamp
    let isColourful: Bool
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }.mapValues { "\($0)" }
        FileHandleText.error(line(event.level, "\(event.message)", all))
    }

    func line(_ level: Logger.Level, _ message: String, _ metadata: [String: String]) -> String {
        let time = "\(now())".dropFirst(11).prefix(8)
        let name = level.rawValue + String(repeating: " ", count: max(0, 8 - level.rawValue.count))
        var text = "\(time)  \(coloured(name, level))  \(Self.plain(message))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            let shown = Self.plain(value)
            let needsQuotes = shown.isEmpty || shown.contains { $0 == " " || $0 == "\"" }
            text += "  \(key)=" + (needsQuotes ? "\"\(shown.replacing("\"", with: "\\\""))\"" : shown)
        }
        return text
    }

    private func coloured(_ name: String, _ level: Logger.Level) -> String {
        guard isColourful, level >= .warning else { return name }
        return "\u{1B}[\(level >= .error ? 31 : 33)m\(name)\u{1B}[0m"
    }

    /// Without what would steer the terminal: names of files and clients' words come into the log.
    private static func plain(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
    }

    /// This one on a terminal, JSON elsewhere.
    static func forStandardError(now: @escaping @Sendable () -> Timestamp) -> any LogHandler {
        guard isatty(2) == 1 else { return JSONLogHandler(now: now) }
        let hasColour =
            (SystemPlatform.environment("NO_COLOR") ?? "").isEmpty && SystemPlatform.environment("TERM") != "dumb"
        return TerminalLogHandler(now: now, isColourful: hasColour)
    }
}
