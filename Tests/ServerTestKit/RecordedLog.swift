package import Logging
internal import Synchronization

/// What was written to a log, for a test to look at.
///
/// ```swift
/// let log = RecordedLog()
/// let watch = ChampionWatch(projects, catalog: catalog, clock: clock, logger: log.logger)
/// #expect(log.messages(.error) == ["model not up to date"])
/// ```
package final class RecordedLog: Sendable {
    package struct Entry: Sendable {
        package let level: Logger.Level
        package let message: String
        package let metadata: [String: String]
    }

    private let kept = Mutex<[Entry]>([])

    package init() {}

    package var entries: [Entry] { kept.withLock { $0 } }

    package var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    /// The messages of a level, in their order.
    package func messages(_ level: Logger.Level) -> [String] {
        entries.filter { $0.level == level }.map(\.message)
    }

    /// Forgets what there is, and gives it.
    @discardableResult
    package func take() -> [Entry] {
        kept.withLock { kept in
            defer { kept = [] }
            return kept
        }
    }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
            log.kept.withLock { $0.append(Entry(level: event.level, message: "\(event.message)", metadata: all)) }
        }
    }
}
