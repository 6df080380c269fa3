internal import Composition
package import Core
internal import DuckDB
internal import Identity
internal import Lakehouse
internal import LakehouseDuckDB
package import Projects
package import Registry
internal import SQLText
internal import SQLite
internal import Storage
internal import Training
package import Workflow

/// Composition root of the command line: reads settings, chooses implementations and opens workspaces.
///
/// ```swift
/// let report = try Composition(settings).withWorkspace { workspace in
///     try workspace.ingest(paths, of: source)
/// }
/// ```
package struct Composition: Sendable {
    /// Settings from flags, environment and defaults, in this order of precedence.
    package struct Settings: Sendable {
        /// Path of the folder with the project's martlet.yaml.
        package var projectFolder: String
        /// Folder of the project's state (default `<project>/.martlet`).
        package var home: String?
        /// Threads of the SQL engine (MARTLET_THREADS).
        package var engineThreads: Int?
        /// Threads of the learner (MARTLET_TRAINING_THREADS).
        package var trainingThreads: Int?
        /// Seed that replaces the split seed of every model; `nil` for those of martlet.yaml.
        package var splitSeed: Int?
        /// Called once when another process holds the project's lock; the lock is then waited for.
        ///
        /// Without it a held lock is an error.
        package var whenBusy: (@Sendable () -> Void)?
        /// Whether a missing registry is created. An attempt at a job creates none: its queue stood in one.
        package var makesRegistry = true
        /// Called with a message when something fails beside work that succeeded.
        package var warn: (@Sendable (String) -> Void)?

        package init(projectFolder: String, home: String? = nil) {
            self.projectFolder = projectFolder
            self.home = home
        }
    }

    /// Version of Martlet.
    package static let version = "0.1.0"

    let settings: Settings
    /// Time, ids and randomness of the program.
    package let context: ExecutionContext
    /// Who acts: the account at the command line, or whoever asked for the job that is done.
    let actor: String
    /// In which request or job, for the audit.
    let request: String?
    let environment: @Sendable (String) -> String?

    /// - Parameters:
    ///   - actor: who acts, in place of the operating system's account.
    ///   - request: the request or job in which they act, for the audit.
    ///   - context: the system's, but in tests.
    ///   - environment: a variable's value; `nil` where it is not set.
    package init(
        _ settings: Settings, actor: String? = nil, request: String? = nil,
        context: ExecutionContext = SystemPlatform.context(),
        environment: @escaping @Sendable (String) -> String? = { SystemPlatform.environment($0) }
    ) {
        self.settings = settings
        self.actor = actor ?? SystemPlatform.account
        self.request = request
        self.context = context
        self.environment = environment
    }

    /// The folder of the project's state.
    package var home: ProjectHome {
        let given = settings.home ?? environment("MARTLET_HOME")
        return given.map { ProjectHome(Disk.absolute($0)) } ?? ProjectHome(ofProject: settings.projectFolder)
    }

    func metadata(of project: Project) throws -> MetadataLocation {
        try MetadataLocation(project, home: home, context: context, environment: environment)
    }

    /// Loads and checks the project's files.
    package func project() throws -> Project {
        try Project.load(settings.projectFolder, splitSeed: settings.splitSeed, learners: Self.learners)
    }

    /// Opens a workspace that may write, under the project's lock.
    package func withWorkspace<T>(_ body: (Workspace) throws -> T) throws -> T {
        let project = try project()
        try makeHome()
        guard let lock = try FileLock(home.lock) ?? waitForLock() else {
            throw MartletError(
                .conflict, "project.busy", "Another martlet is at work in \(project.folder).",
                remedy: "Wait until it has finished, or stop it.")
        }
        return try withExtendedLifetime(lock) {
            try Failpoint.reach("project.locked")
            if try !lock.begin() {
                // The last one stopped in the middle. Names that it made and did not live to make durable are made so
                // before anything is acknowledged because of them.
                try Disk.syncNames(of: home.folder)
            }
            try removeAbandonedScratch()
            let workspace = try workspace(project, writing: true)
            let keeper = keepEvents(of: workspace.lake, in: workspace.registry)
            let result = try body(workspace)
            try keeper.settle()
            try lock.end()
            return result
        }
    }

    /// Where there are tables the registry was there: only a run begins a new one, and says so.
    /// - Parameter isNew: whether a project without tables may get one.
    /// - Throws: `registry.gone`.
    func refuseLoss(of metadata: MetadataLocation, isNew: Bool = true) throws {
        guard try !metadata.exists(), try !isNew || !lake().tables().isEmpty else { return }
        throw MartletError(
            .missing, "registry.gone", "The registry is gone: versions, runs, approvals, users and tokens stood in it.",
            at: .init(file: metadata.place), remedy: metadata.remedyOfLoss)
    }

    /// The folder of the state, for this account alone.
    func makeHome() throws {
        try Disk.makeDirectory(home.folder)
        try Disk.keepToAccount(home.folder)
    }

    private func waitForLock() throws -> FileLock? {
        guard let whenBusy = settings.whenBusy else { return nil }
        whenBusy()
        return try FileLock(waitingFor: home.lock)
    }

    /// Scratch folders begin with the number of the process that made them.
    private func removeAbandonedScratch() throws {
        for name in try Disk.list(home.scratch) {
            let owner = name.split(separator: "-").first.flatMap { Int32($0) }
            if owner.map({ !Disk.isAlive(process: $0) }) ?? true { Disk.removeTree("\(home.scratch)/\(name)") }
        }
    }

    /// Opens a read-only workspace, without a lock.
    package func withReadingWorkspace<T>(_ body: (Workspace) throws -> T) throws -> T {
        try body(try workspace(try project(), writing: false))
    }

    /// Opens the registry for a command that only reads it.
    package func withRegistry<T>(_ body: (ModelRegistry) throws -> T) throws -> T {
        try body(try registry(try project(), writing: false))
    }

    /// Opens the registry for a command that changes only metadata; takes no lock, as the database serialises writers.
    package func withSharedRegistry<T>(_ body: (ModelRegistry) throws -> T) throws -> T {
        let project = try project()
        try makeHome()
        try refuseLoss(of: try metadata(of: project))
        return try body(try registry(project, writing: true))
    }

    func registry(_ project: Project, writing: Bool) throws -> ModelRegistry {
        let metadata = try metadata(of: project)
        if !writing { try requireRun(project, metadata) }
        let database = try metadata.open(writing ? .writing(creating: settings.makesRegistry) : .reading)
        let registry = ModelRegistry(database, project: project.name, actor: actor, context: context).detectingRuns(
            by: holds)
        // What is done at the command line stands in the audit, as what comes over HTTP.
        return writing ? registry.audited(by: author, as: actor) : registry
    }

    /// - Throws: `project.not-run`.
    func requireRun(_ project: Project, _ metadata: MetadataLocation) throws {
        guard try !metadata.exists() else { return }
        throw MartletError(
            .missing, "project.not-run", "Nothing has been run in \(project.folder) yet.",
            remedy: "Run `martlet run` first.")
    }

    private var holds: RunLocks { RunLocks(folder: home.running) }

    /// - Parameter most: memory of the SQL engine, in place of what the settings say.
    func lake(memory most: String? = nil) throws -> Lake {
        let engine = LazyLakeEngine(identity: "duckdb \(Database.version)") { [self] in
            try DuckDBLakeEngine(
                threads: try threads(settings.engineThreads, "MARTLET_THREADS"),
                memoryLimit: try most ?? memory(), spillFolder: home.spill, pause: context.clock.block)
        }
        return Lake(
            root: home.lake, engine: engine, context: context,
            checkpointInterval: try checkpointInterval())
    }

    /// Opens a read-only workspace of a project that may not have run yet, with a temporary registry if needed.
    package func withTemporaryRegistry<T>(_ body: (Workspace) throws -> T) throws -> T {
        let project = try project()
        guard try !metadata(of: project).exists() else { return try body(try workspace(project, writing: false)) }
        let scratch = "\(home.scratch)/\(Disk.processID)-\(context.newID())"
        try makeHome()
        try Disk.makeDirectory(scratch)
        defer { Disk.removeTree(scratch) }
        let database = try SQLiteDatabase(path: ProjectHome(scratch).database, pause: context.clock.block)
        try database.migrate(MetadataLocation.schema, at: context.now())
        let registry = ModelRegistry(database, project: project.name, actor: actor, context: context)
        return try body(try workspace(project, on: registry, writing: false))
    }

    private func workspace(_ project: Project, writing: Bool) throws -> Workspace {
        try workspace(project, on: registry(project, writing: writing), writing: writing)
    }

    private func workspace(_ project: Project, on registry: ModelRegistry, writing: Bool) throws -> Workspace {
        let lake = try lake()
        if writing {
            // With the project's lock no other process trains: what is still noted as running was killed.
            try registry.runs.abandonRunning()
            try CommitProjector(lake, registry.events).projectAll()
        }
        return Workspace(
            project: project, home: home, lake: lake, registry: registry,
            artifacts: ArtifactStore(folder: home.artifacts), actor: actor, context: context,
            cpuSeconds: SystemPlatform.cpuSeconds,
            trainingThreads: try threads(settings.trainingThreads, "MARTLET_TRAINING_THREADS"),
            learners: Self.learners)
    }

    /// Most memory of the SQL engine (MARTLET_MEMORY), default 2GB.
    func memory() throws -> String {
        guard let text = environment("MARTLET_MEMORY") else { return "2GB" }
        let number = text.prefix { $0.isNumber || $0 == "." }
        guard let amount = Double(number), amount > 0,
            ["KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"].contains(
                String(text.dropFirst(number.count).drop { $0 == " " }))
        else {
            throw MartletError(
                .usage, "settings.memory", "MARTLET_MEMORY is \(text); it must be an amount like 4GB or 800MiB.")
        }
        return text
    }

    /// Versions of a table from one checkpoint to the next (MARTLET_CHECKPOINT_EVERY), default 100.
    private func checkpointInterval() throws -> Int {
        guard let text = environment("MARTLET_CHECKPOINT_EVERY") else { return 100 }
        guard let count = Int(text), (1...1_000_000).contains(count) else {
            throw MartletError(
                .usage, "settings.checkpoints", "MARTLET_CHECKPOINT_EVERY is \(text); it must be a number of versions.")
        }
        return count
    }

    private func threads(_ given: Int?, _ variable: String) throws -> Int {
        if let given { return given }
        guard let text = environment(variable) else { return SystemPlatform.processors }
        guard let count = Int(text), (1...1024).contains(count) else {
            throw MartletError(
                .usage, "settings.threads", "\(variable) is \(text); it must be a number from 1 to 1024.")
        }
        return count
    }
}
