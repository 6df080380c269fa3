internal import Core
package import Registry
package import SQLText

extension ModelRegistry {
    /// Returns a registry whose changes are also written to the audit log under `author`.
    ///
    /// Each act on it (`EventType.isAct`) gets an entry in the audit, in the transaction of the act, whether it came
    /// from a command or over HTTP.
    /// - Parameters:
    ///   - actor: whom history and events name; the author's own name when `nil`.
    ///   - alongside: called once more for each event, in the same transaction.
    package func audited(
        by author: Author, as actor: String? = nil,
        alongside: (@Sendable (any SQLConnection, EventDraft) throws -> Void)? = nil
    ) -> ModelRegistry {
        let project = project
        return acting(as: actor ?? author.actor) { connection, event in
            if event.type.isAct {
                try AuditTable(connection).append(AuditDraft(event, project), by: author, at: event.time)
            }
            try alongside?(connection, event)
        }
    }
}

extension AuditDraft {
    /// A change that the registry records as an event.
    fileprivate init(_ event: EventDraft, _ project: String) {
        self.init(
            event.type.short, event.subject, project: project,
            before: event.data["previous"].map { .object(["version": $0]) }, after: .object(event.data))
    }
}
