import CommandComposition
import Core
import Lakehouse
import ProjectTestKit
import Projects
import Registry
import SQLLineage
import Storage
import Synchronization
import TestSupport
import Testing
import Training
import Workflow

/// What the command line's wiring allows and refuses, before any use case runs.
@Suite struct `The wiring of commands` {
    private let place: TestHome
    private let clock = VirtualClock()

    init() throws { place = try TestHome.wards() }

    private func composition(
        environment: [String: String] = [:], _ change: (inout Composition.Settings) -> Void = { _ in }
    ) -> Composition {
        var settings = Composition.Settings(projectFolder: place.folder.path)
        change(&settings)
        return Composition(settings, context: clock.context(), environment: { environment[$0] })
    }

    private func refusal(_ body: () throws -> Void) -> MartletError? {
        #expect(throws: MartletError.self, performing: body)
    }

    /// Lands the project's file and takes it in.
    private func ingest() throws {
        try place.land("visits", "first.csv", Wards.first)
        _ = try composition().withWorkspace { try $0.run(to: .ingest, journal: place.journal(clock)) }
    }

    // MARK: The home

    @Test func `a flag names the home before the environment, which does before the project`() {
        #expect(composition().home == place.home)
        let elsewhere = ["MARTLET_HOME": "/from/environment"]
        #expect(composition(environment: elsewhere).home.folder == "/from/environment")
        #expect(composition(environment: elsewhere) { $0.home = "/from/flag" }.home.folder == "/from/flag")
    }

    @Test func `the home is for its account alone once somebody has worked there`() throws {
        try composition().withWorkspace { _ in }
        #expect(Disk.permissions(place.home.folder).map { $0 & 0o077 } == 0)
    }

    // MARK: The lock

    @Test func `one at a time works in a project; a second is told that it is busy, and readers are not`() throws {
        try ingest()
        try composition().withWorkspace { _ in
            #expect(refusal { try composition().withWorkspace { _ in } }?.code == "project.busy")
            #expect(refusal { try composition().withMaintenance(alone: true) { _ in } }?.code == "project.busy")
            #expect(
                try composition().withReadingWorkspace { try $0.lake.tables() } == [
                    TableName(.bronze, "visits"), TableName(.quarantine, "visits"),
                ])
            #expect(try composition().withRegistry { try $0.models.list().isEmpty })
            try composition().withSharedRegistry { _ in }
            try composition().withMaintenance(alone: false) { _ in }
        }
        try composition().withMaintenance(alone: false) { _ in
            #expect(refusal { try composition().withMaintenance(alone: false) { _ in } }?.code == "project.busy")
        }
        try composition().withWorkspace { _ in }
    }

    @Test func `work that failed gives the lock back`() throws {
        struct Trouble: Error {}
        #expect(throws: Trouble.self) { try composition().withWorkspace { _ in throw Trouble() } }
        try composition().withWorkspace { _ in }
    }

    @Test func `who waits is told so once, and comes in when the other has ended`() async throws {
        let lock = Mutex(try FileLock(place.home.lock))
        let told = Atomic<Int>(0)
        let composition = composition { $0.whenBusy = { told.add(1, ordering: .relaxed) } }
        let waiting = Task.detached { try composition.withWorkspace { $0.project.name } }
        #expect(try await eventually { told.load(ordering: .relaxed) > 0 })
        lock.withLock { $0 = nil }
        #expect(try await waiting.value == "wards")
        #expect(told.load(ordering: .relaxed) == 1)
    }

    @Test func `scratch of processes that are gone goes, and that of living ones stays`() throws {
        let mine = "\(Disk.processID)-x"
        for name in ["999999999-x", mine, "nobody"] { try Disk.makeDirectory("\(place.home.scratch)/\(name)") }
        try composition().withWorkspace { _ in }
        #expect(try Disk.list(place.home.scratch) == [mine])
    }

    // MARK: What must be there

    @Test func `what only reads says that nothing has been run, and begins nothing`() throws {
        for read: () throws -> Void in [
            { try composition().withRegistry { _ in } }, { try composition().withReadingWorkspace { _ in } },
            { try composition().withIdentityForReading { _ in } },
        ] {
            let error = refusal(read)
            #expect(error?.code == "project.not-run" && error?.kind == .missing, "\(error?.description ?? "")")
        }
        #expect(!Disk.exists(place.home.database))
        let passing = try composition().withTemporaryRegistry { try $0.registry.models.list().count }
        #expect(passing == 0 && !Disk.exists(place.home.database))
        #expect(try Disk.list(place.home.scratch).isEmpty)
    }

    @Test(.enabled(if: TestDatabase.isSQLite, "another program's database cannot be taken away"))
    func `a registry that is gone is not replaced but by a run`() throws {
        try ingest()
        try place.loseMetadata()
        for write: () throws -> Void in [
            { try composition().withSharedRegistry { _ in } }, { try composition().withIdentity { _ in } },
        ] {
            let error = refusal(write)
            #expect(error?.code == "registry.gone" && error?.kind == .missing, "\(error?.description ?? "")")
            #expect(error?.location?.file == place.home.database)
        }
        #expect(!Disk.exists(place.home.database))
        #expect(
            refusal { try composition { $0.makesRegistry = false }.withWorkspace { _ in } }?.code == "metadata.missing")
        #expect(!Disk.exists(place.home.database))
        try composition().withWorkspace { _ in }
        #expect(Disk.exists(place.home.database))
    }

    @Test func `a project without tables gets a registry by whoever writes first`() throws {
        #expect(try composition().withSharedRegistry { try $0.models.list().isEmpty })
        try composition().withRegistry { _ in }
    }

    // MARK: Settings

    @Test(arguments: ["0", "-1", "many", "1025", "2.5"])
    func `a number of threads that is none is refused by its variable's name`(_ text: String) throws {
        try ingest()
        for variable in ["MARTLET_THREADS", "MARTLET_TRAINING_THREADS"] {
            let error = refusal {
                try composition(environment: [variable: text]).withWorkspace {
                    _ = try $0.lake.query("SELECT 1", at: [:], limit: nil)
                }
            }
            #expect(error?.code == "settings.threads" && error?.kind == .usage, "\(error?.description ?? "")")
            #expect(error?.message.contains(variable) == true)
        }
        // A flag wins, whatever the environment says.
        try composition(environment: ["MARTLET_THREADS": text, "MARTLET_TRAINING_THREADS": text]) {
            $0.engineThreads = 1
            $0.trainingThreads = 1
        }.withWorkspace { _ = try $0.lake.query("SELECT 1", at: [:], limit: nil) }
    }

    @Test(arguments: [
        ("4GB", true), ("800MiB", true), ("1.5 GB", true), ("300MB", true), ("0GB", false), ("4", false),
        ("GB", false), ("lots", false), ("4 gigabytes", false), ("-1GB", false),
    ])
    func `memory is an amount with its unit, or is refused`(text: String, isFine: Bool) throws {
        let composition = composition(environment: ["MARTLET_MEMORY": text])
        func query() throws { try composition.withLake { _ = try $0.query("SELECT 1", at: [:], limit: nil) } }
        if isFine { return try query() }
        let error = refusal(query)
        #expect(error?.code == "settings.memory" && error?.kind == .usage, "\(error?.description ?? "")")
    }

    @Test(arguments: ["0", "x", "1000001"]) func `a distance of checkpoints that is none is refused`(_ text: String) {
        let composition = composition(environment: ["MARTLET_CHECKPOINT_EVERY": text])
        #expect(refusal { try composition.withLake { _ in } }?.code == "settings.checkpoints")
    }

    @Test func `another seed than the file's splits the rows`() throws {
        #expect(try composition().project().models.first?.plan.split.seed == 42)
        #expect(try composition { $0.splitSeed = 7 }.project().models.first?.plan.split.seed == 7)
    }

    @Test func `a learner that nobody knows is refused where the project is read`() throws {
        try place.configure(Wards.configuration, ("kind: lightgbm", "kind: forest"))
        let error = refusal { _ = try composition().project() }
        #expect(error?.location?.file?.hasSuffix("martlet.yaml") == true, "\(error?.description ?? "")")
    }

    // MARK: Compaction

    @Test func `work that needs more memory is done again with more, and at last with all`() throws {
        var asked: [String?] = []
        func work(_ enough: Int) throws -> Int {
            asked = []
            return try Composition.withLittleMemory { memory in
                asked.append(memory)
                guard asked.count >= enough else { throw MartletError(.machine, "engine.memory", "Too little.") }
                return asked.count
            }
        }
        #expect(try work(1) == 1 && asked == ["64MB"])
        #expect(try work(2) == 2 && asked == ["64MB", "192MB"])
        #expect(try work(3) == 3 && asked == ["64MB", "192MB", nil])
        #expect(refusal { _ = try work(4) }?.code == "engine.memory" && asked.count == 3)
        // Any other trouble is told at once.
        var count = 0
        let error = refusal {
            try Composition.withLittleMemory { _ in
                count += 1
                throw MartletError(.machine, "disk.full", "No room.")
            }
        }
        #expect(error?.code == "disk.full" && count == 1)
    }

    @Test func `a compaction of a project without a log moves nothing, and needs no registry`() throws {
        let report = try composition().compactPredictions(keepSegments: false)
        #expect(report.rows == 0 && report.segments == 0)
        #expect(!Disk.exists(place.home.database))
    }
}
