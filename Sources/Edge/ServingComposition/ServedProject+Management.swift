internal import Composition
internal import Core
package import HTTPAPI
internal import Projects
package import Registry
package import SQLText
internal import Synchronization
internal import Workers

extension ServedProject {
    /// The same project, to be looked after over HTTP. Its registry is opened for writing when it is first needed.
    package var managed: ManagedProject {
        let registries = registries
        let logs = home.jobLogs
        return ManagedProject(
            name: project.name,
            policies: Dictionary(
                project.models.map { ($0.name, $0.needsApproval ? .required : .none) },
                uniquingKeysWith: { first, _ in first }),
            open: { try registries.open() }, log: { AttemptLauncher.log(of: $0, attempt: $1, in: logs) })
    }
}

/// Opens a registry once, and again if that failed or its file is another one.
package final class RegistryProvider: Sendable {
    private let project: String
    private let metadata: MetadataLocation
    private let running: String
    private let context: ExecutionContext
    private let opened = Mutex<(registry: ModelRegistry, database: any SQLDatabase, inode: UInt64?)?>(nil)

    /// - Parameter running: where the locks of runs are that are at work.
    init(project: String, metadata: MetadataLocation, running: String, context: ExecutionContext) {
        self.project = project
        self.metadata = metadata
        self.running = running
        self.context = context
    }

    /// Returns the open registry and its database; opens them anew where the file is another one.
    /// - Throws: `registry.gone` where there is none any more: what is written to a removed file would be lost.
    package func open() throws -> (registry: ModelRegistry, database: any SQLDatabase) {
        try opened.withLock { opened in
            let inode = metadata.inode
            if let opened, opened.inode == inode { return (opened.registry, opened.database) }
            opened = nil
            guard inode != 0 else {
                throw MartletError(
                    .missing, "registry.gone", "The registry of the project \(project) is gone.",
                    at: .init(file: metadata.place), remedy: metadata.remedyOfLoss)
            }
            // A running server never makes one: where it went away, somebody has to put it back.
            let database = try metadata.open(.writing(creating: false))
            let registry = ModelRegistry(
                database, project: project, actor: SystemPlatform.account, context: context
            )
            .detectingRuns(by: RunLocks(folder: running))
            opened = (registry, database, inode)
            return (registry, database)
        }
    }
}
