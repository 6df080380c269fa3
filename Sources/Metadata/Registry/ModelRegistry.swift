package import Core
package import SQLText

/// The metadata of a project: steps, runs, registered models with their history, events and jobs.
///
/// ```swift
/// let registry = ModelRegistry(database, project: "wards", context: context)
/// let runs = try registry.runs.list(model: "readmission")
/// try registry.models.promote(ModelReference(parsing: "readmission@3"))
/// ```
///
/// Rules, kept by the schema as well as by the code:
/// 1. A recorded run never changes, and it is recorded together with the completion of its step.
/// 2. A model version never changes; versions are numbered 1, 2, … within a model; a run gives at most one.
/// 3. History only grows; every move of an alias and every decision stands in it with actor and time.
/// 4. An approval is decided once.
/// 5. An alias names no version that is pending or rejected.
/// 6. What happens to a run or a model is recorded by an event, written in the same transaction.
/// 7. A running job belongs to one attempt; only the newest one's writes about it are taken.
///
/// All calls block on the database and may come from any thread.
package struct ModelRegistry: Sendable {
    /// Completed steps of the path.
    package let steps: StepStore
    /// Cached file digests.
    package let files: FileStore
    /// Training runs.
    package let runs: RunStore
    /// Registered models and their versions.
    package let models: ModelStore
    /// The event outbox.
    package let events: EventStore
    /// The job queue.
    package let jobs: JobStore

    /// Name of the project.
    package var project: String { models.metadata.project }

    /// The registry of a project in a database whose schema is up to date.
    /// - Parameter actor: who makes the changes that are made through it; history, runs and jobs name them.
    package init(_ database: any SQLDatabase, project: String, actor: String, context: ExecutionContext) {
        self.init(MetadataStore(database: database, project: project, actor: actor, context: context))
    }

    /// Returns a copy whose changes are made by another actor.
    ///
    /// - Parameter alongside: called with each event that is written, in the same transaction: what it writes is there
    ///   with the change, or neither is.
    package func acting(
        as actor: String,
        alongside: (@Sendable (any SQLConnection, EventDraft) throws -> Void)? = nil
    ) -> ModelRegistry {
        var metadata = models.metadata
        metadata.actor = actor
        metadata.alongside = alongside
        return ModelRegistry(metadata)
    }

    /// Returns a copy that can tell running runs from killed ones, by their locks.
    ///
    /// Without it every run that was begun counts as running until it is abandoned.
    package func detectingRuns(by holds: RunLocks) -> ModelRegistry {
        var metadata = models.metadata
        metadata.holds = holds
        return ModelRegistry(metadata)
    }

    private init(_ metadata: MetadataStore) {
        steps = StepStore(metadata: metadata)
        files = FileStore(metadata: metadata)
        runs = RunStore(metadata: metadata)
        models = ModelStore(metadata: metadata)
        events = EventStore(metadata: metadata)
        jobs = JobStore(metadata: metadata)
    }
}

extension Migration {
    /// Migrations of the registry's tables.
    package static let registry: [Migration] =
        registryTables + [
            Migration(number: 2, name: "immutable", rules: TableRule.immutable),
            Migration(number: 5, name: "events-kept", rules: TableRule.eventsKept),
            Migration(number: 8, name: "decisions-kept", rules: TableRule.decisionsKept),
        ]
}

extension SQLScope {
    /// The write lock of everything that the registry of a project holds.
    package static func project(_ name: String) -> SQLScope { SQLScope("project/\(name)") }
}

/// Database, project, context and listener shared by the registry's stores.
struct MetadataStore: Sendable {
    let database: any SQLDatabase
    let project: String
    /// Who acts in the transactions.
    var actor: String
    let context: ExecutionContext
    var holds: RunLocks?
    /// What is written with each event.
    var alongside: (@Sendable (any SQLConnection, EventDraft) throws -> Void)?

    func read<Result>(_ body: (MetadataTransaction) throws -> Result) throws -> Result {
        try database.read {
            try body(MetadataTransaction(connection: $0, project: project, actor: actor, alongside: nil))
        }
    }

    func write<Result>(_ body: (MetadataTransaction) throws -> Result) throws -> Result {
        try database.write(scope: .project(project)) {
            try body(MetadataTransaction(connection: $0, project: project, actor: actor, alongside: alongside))
        }
    }
}

/// One database transaction on one project's metadata. It must not leave the closure it was passed to.
package struct MetadataTransaction {
    let connection: any SQLConnection
    let project: String
    /// Who acts.
    let actor: String
    let alongside: (@Sendable (any SQLConnection, EventDraft) throws -> Void)?
}

extension MetadataTransaction {
    /// Writes an event in this transaction, unless it is already recorded.
    package func publish(_ draft: EventDraft) throws {
        guard try EventTable(self).append(draft) != nil else { return }
        try alongside?(connection, draft)
    }
}
