internal import Core

/// The type of an event. The raw value is the CloudEvents `type`; docs/events.md has the data of each.
package enum EventType: String, Sendable, CaseIterable, Encodable {
    case tableCommitted = "dev.martlet.table.committed"
    case runStarted = "dev.martlet.run.started"
    case runFinished = "dev.martlet.run.finished"
    case runRejected = "dev.martlet.run.rejected"
    case runFailed = "dev.martlet.run.failed"
    case gatePassed = "dev.martlet.gate.passed"
    case gateFailed = "dev.martlet.gate.failed"
    case versionRegistered = "dev.martlet.version.registered"
    case versionApproved = "dev.martlet.version.approved"
    case versionRejected = "dev.martlet.version.rejected"
    case aliasMoved = "dev.martlet.alias.moved"
    case aliasRemoved = "dev.martlet.alias.removed"
    case jobSubmitted = "dev.martlet.job.submitted"
    case jobStarted = "dev.martlet.job.started"
    case jobRequeued = "dev.martlet.job.requeued"
    case jobFinished = "dev.martlet.job.finished"
    case jobFailed = "dev.martlet.job.failed"
    case jobCancelled = "dev.martlet.job.cancelled"
    case jobRetried = "dev.martlet.job.retried"

    private static let prefix = "dev.martlet."

    /// The type without its common prefix: "run.finished".
    package var short: String { String(rawValue.dropFirst(EventType.prefix.count)) }

    /// Whether the event records a person's decision or request, which the audit log keeps, and not a consequence.
    package var isAct: Bool {
        switch self {
        case .versionRegistered, .versionApproved, .versionRejected, .aliasMoved, .aliasRemoved, .jobSubmitted,
            .jobCancelled, .jobRetried:
            true
        case .tableCommitted, .runStarted, .runFinished, .runRejected, .runFailed, .gatePassed, .gateFailed,
            .jobStarted, .jobRequeued, .jobFinished, .jobFailed:
            false
        }
    }

    /// Parses a type name: "run.finished", the whole type, or "run" for all about runs.
    ///
    /// - Throws: `events.type` for an unknown name.
    package static func named(_ text: String) throws -> [EventType] {
        var word = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
        if word.hasSuffix(".*") { word = String(word.dropLast(2)) }
        let found = allCases.filter { $0.short == word || $0.short.hasPrefix(word + ".") }
        guard found.isEmpty else { return found }
        let near = Spelling.nearest(to: word, among: allCases.map(\.short))
        throw MartletError(
            .usage, "events.type", "There is no event type \(text).",
            remedy: near.map { "Did you mean \($0)?" } ?? "Types: \(allCases.map(\.short).joined(separator: ", ")).")
    }
}
