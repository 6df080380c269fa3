internal import Core
internal import Lakehouse
internal import Registry
internal import SQLLineage
internal import Workflow

/// Records the event of each committed table version, and retries at the end what failed.
///
/// A failure does not stop the work, for the version stands; at the end it is tried again, and reported. An error of
/// the work itself takes precedence.
final class EventKeeper {
    private let lake: Lake
    private let registry: ModelRegistry
    private var isBehind = false

    init(_ lake: Lake, _ registry: ModelRegistry) {
        self.lake = lake
        self.registry = registry
    }

    func project(_ name: TableName) {
        do { try CommitProjector(lake, registry.events).project(name) } catch { isBehind = true }
    }

    /// - Throws: when events of versions that stand cannot be written.
    func settle() throws {
        guard isBehind else { return }
        do { try CommitProjector(lake, registry.events).projectAll() } catch let error as MartletError {
            throw MartletError(
                error.kind, error.code,
                "All tables were written, but not the events of their new versions: \(error.message)",
                at: error.location, remedy: "They are written when a command writes to the project the next time.")
        }
    }
}

extension Composition {
    /// From now on versions of the lake become events of the registry, and errors beside a commit are reported.
    func keepEvents(of lake: Lake, in registry: ModelRegistry) -> EventKeeper {
        let keeper = EventKeeper(lake, registry)
        lake.committed = { [weak keeper] _, name in keeper?.project(name) }
        lake.troubled = settings.warn ?? { _ in }
        return keeper
    }
}
