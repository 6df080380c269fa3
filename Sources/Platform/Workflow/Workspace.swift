package import Core
package import Lakehouse
package import Projects
package import Registry
internal import Storage
package import Training

/// An opened project with its lake, registry and learners; its methods are the use cases.
///
/// ```swift
/// let report = try workspace.ingest(["/data/new.csv"], of: source)
/// let loaded = try workspace.load(ModelReference(parsing: "readmission"))
/// ```
///
/// Made by `Composition`; used by one thread.
package struct Workspace {
    /// The project as loaded from martlet.yaml, with its contracts and SQL files; not read again.
    package let project: Project
    /// Paths of the project's state.
    package let home: ProjectHome
    /// The Delta tables in `home.lake`, with the SQL engine.
    package let lake: Lake
    /// The project's runs, models, events and jobs in its metadata database; changes are made by `actor`.
    package let registry: ModelRegistry
    /// Model files and other artifacts of runs, in `home.artifacts`.
    package let artifacts: ArtifactStore
    /// Who works: runs and decisions name them.
    package let actor: String
    /// Source of time, and of ids for runs and files.
    package let context: ExecutionContext
    /// Returns the CPU seconds of this process.
    package let cpuSeconds: @Sendable () -> Double
    /// Number of threads for a learner; results do not depend on it.
    package let trainingThreads: Int
    /// The learners that models may be trained with, and what scores their files.
    package let learners: LearnerCatalogue

    package init(
        project: Project, home: ProjectHome, lake: Lake, registry: ModelRegistry, artifacts: ArtifactStore,
        actor: String, context: ExecutionContext, cpuSeconds: @escaping @Sendable () -> Double, trainingThreads: Int,
        learners: LearnerCatalogue
    ) {
        self.project = project
        self.home = home
        self.lake = lake
        self.registry = registry
        self.artifacts = artifacts
        self.actor = actor
        self.context = context
        self.cpuSeconds = cpuSeconds
        self.trainingThreads = trainingThreads
        self.learners = learners
    }

    /// A folder for work that nobody keeps, empty; removed when the body returns.
    func withScratch<T>(_ body: (String) throws -> T) throws -> T {
        let folder = "\(home.scratch)/\(Disk.processID)-\(context.newID())"
        try Disk.makeDirectory(folder)
        defer { Disk.removeTree(folder) }
        return try body(folder)
    }
}
