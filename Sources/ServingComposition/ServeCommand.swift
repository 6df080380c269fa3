package import ArgumentParser
internal import Foundation
internal import HTTPAPI
internal import Hummingbird
internal import Logging
internal import Machine
internal import NIOPosix
internal import PredictionLog
internal import Projects
internal import ServiceLifecycle
internal import Serving
internal import UnixSignals
internal import Vocabulary

/// `martlet serve`, in a program of its own that links no training and no SQL library.
package struct ServeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "martlet serve",
        abstract: "Answer predictions over HTTP with the champions of one or more projects.",
        discussion: """
            Every project is served with all its models; the first model is the one that /predict means when none is
            named. A new champion is taken without a pause. SIGTERM finishes what was begun and ends.
            """)

    @Argument(
        help: ArgumentHelp(
            "Folders of projects (default: the nearest upwards with a martlet.yaml).", valueName: "project"))
    var projects: [String] = []

    @OptionGroup(title: "Network")
    var edge: EdgeOptions

    @Option(help: "The port; 0 takes a free one.")
    var port = 8080

    @Option(
        help: ArgumentHelp(
            "Where the only project keeps its state (default: <project>/.martlet, or MARTLET_HOME).", valueName: "dir"))
    var home: String?

    @Option(
        help: ArgumentHelp(
            "What an answer waits for: strict (its log record is on the disk), written (with the system), best-effort (nothing).",
            valueName: "mode"))
    var log = PredictionLogMode.written.rawValue

    @Option(
        help: ArgumentHelp(
            "Seconds after SIGTERM in which requests are still taken, each answer closing its connection.",
            valueName: "s"))
    var drainSeconds = 1.0

    @Option(help: ArgumentHelp("Threads that work on batches, beside those for single requests.", valueName: "n"))
    var batchThreads = 1

    @Option(
        help: ArgumentHelp("Jobs at once that its workers do, for each project; 0 for no workers.", valueName: "n"))
    var workers = 1

    package init() {}

    private static let version = "0.1.0"

    package func validate() throws {
        if !(0...65_535).contains(port) { throw ValidationError("--port must be from 0 to 65535.") }
        if !(0...3600).contains(drainSeconds) { throw ValidationError("--drain-seconds must be from 0 to 3600.") }
        if !(0...256).contains(workers) { throw ValidationError("--workers must be from 0 to 256.") }
        if !(1...256).contains(batchThreads) { throw ValidationError("--batch-threads must be from 1 to 256.") }
        if PredictionLogMode(rawValue: log) == nil {
            throw ValidationError("--log must be strict, written or best-effort.")
        }
        if home != nil, projects.count > 1 {
            throw ValidationError("--home is for one project; there are \(projects.count).")
        }
    }

    package func run() async throws {
        let surroundings = RealWorld.surroundings()
        let logger = Logger(label: "martlet.serve") { JSONLogHandler(label: $0, now: surroundings.now) }
        let certificate = try edge.certificate()
        let folders = projects.isEmpty ? [try Project.find(from: ".")] : projects.map { Disk.absolute($0) }
        let home = (home ?? RealWorld.environment("MARTLET_HOME")).map { Disk.absolute($0) }
        let served = try folders.map {
            try ServedProject(
                folder: $0, home: folders.count == 1 ? home : nil, log: PredictionLogMode(rawValue: log),
                surroundings: surroundings)
        }
        let catalog = ModelCatalog(served.flatMap(\.keys))
        let watch = ChampionWatch(served, catalog: catalog, uptime: surroundings.uptime, logger: logger)
        watch.look()
        Thread.detachNewThread { watch.run(every: 0.5) }
        let drain = Drain(grace: drainSeconds)
        let threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
        let desk = try await IdentityHouse.desk(
            home: served[0].home,
            site: Site(names: edge.names + [edge.host], isSecure: edge.isSecure, isBehindProxy: edge.behindProxy),
            surroundings: surroundings, threads: threads)
        let management = Management(served.map(\.managed), desk: desk) { watch.look(project: $0) }
        let workers = WorkerWatch(
            workers > 0 ? served : [], slots: workers, grace: 10, uptime: surroundings.uptime,
            isEnding: { drain.isDraining }, logger: logger)
        let features = FeatureHouse(served, surroundings: surroundings)
        var batches = BatchSettings(scratch: "\(served[0].home)/scratch", pause: RealWorld.pause)
        batches.threads = batchThreads
        OwnProcess.raiseDescriptors()
        let server = server(
            catalog, management, features, desk, drain, certificate, served, surroundings, logger,
            BatchRoutes(catalog: catalog, settings: batches, surroundings: surroundings))
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    server.application { port in
                        logger.info("listening", metadata: ["host": "\(edge.host)", "port": "\(port)"])
                        offerSetup(desk, port: port)
                        workers.start()
                    }, IdentityWatch(desk, pause: RealWorld.pause, logger: logger),
                    CertificateWatch(files: certificate, threads: threads, logger: logger), drain,
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
        watch.end()
        features.stop()
        while workers.isLiving { await RealWorld.sleep(seconds: 0.05) }
        for project in served { try await project.log?.shutDown() }
        logger.info("ended")
    }

    private func offerSetup(_ desk: IdentityDesk, port: Int) {
        guard let link = try? IdentityHouse.setupLink(desk, host: edge.host, port: port) else { return }
        FileHandleText.error("There is no user yet. Make the first admin within an hour at\n  \(link)")
    }

    private func server(
        _ catalog: ModelCatalog, _ management: Management, _ features: FeatureHouse, _ desk: IdentityDesk,
        _ drain: Drain, _ certificate: CertificateFiles?, _ served: [ServedProject], _ surroundings: Surroundings,
        _ logger: Logger, _ batches: BatchRoutes
    ) -> FrontServer {
        let predictions = PredictionRoutes(catalog: catalog, limits: ScoringLimits(), surroundings: surroundings)
        let isDraining: @Sendable () -> Bool = { drain.isDraining }
        let tally = EdgeTally()
        var journal = RequestJournal(logger: logger)
        journal.tellsAll = edge.accessLog
        journal.slow = edge.slowMs / 1000
        let process = OwnProcess(started: Double(surroundings.now().microseconds) / 1e6)
        var settings = FrontServer.Settings(host: edge.host, port: port)
        settings.certificate = certificate
        settings.connections = edge.maxConnections
        settings.patience = edge.patience
        settings.listener = drain.listener
        return FrontServer(
            settings, catalog: catalog,
            routes: RouteTable(
                documenting: Self.version, components: { ServedSchemas.components(catalog) },
                SessionRoutes(desk).routes, SetupPage.routes, ModelRoutes(management).routes,
                DeploymentRoutes(management, catalog: catalog).routes,
                TrainingRoutes(management, pause: RealWorld.pause).routes, MonitoringRoutes(management).routes,
                AuditRoutes(desk).routes,
                MetricsRoutes(
                    catalog: catalog, tally: tally, version: Self.version, isOpen: edge.metricsOpen,
                    logs: served.compactMap { project in
                        project.log.map { log in (project.project.name, { log.counters }) }
                    }, process: { process.figures() }
                ).routes,
                HealthRoutes(catalog: catalog, isDraining: isDraining).routes, predictions.routes,
                ProcessRoutes(catalog: catalog, source: features, surroundings: surroundings).routes,
                batches.routes,
                MLflowRoutes(catalog: catalog, predictions: predictions, version: Self.version).routes,
                TensorRoutes(
                    catalog: catalog, predictions: predictions, version: Self.version, isDraining: isDraining
                ).routes),
            gatekeeper: LimitingGate(
                IdentityGate(desk), known: edge.limits.known, strangers: edge.limits.strangers, tally: tally,
                surroundings: surroundings), isDraining: isDraining,
            watch: RequestWatch(
                tally: tally, journal: journal, most: edge.maxRequests, isBehindProxy: edge.behindProxy,
                surroundings: surroundings), surroundings: surroundings, logger: logger)
    }

    /// Runs the command line and ends the process with its exit code.
    package static func runToExit() async -> Never {
        RealWorld.ignoreFileSizeSignal()
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
            exit()
        } catch let error as MartletError {
            FileHandleText.error("error: \(error)")
            exit(withError: ExitCode(error.exitCode))
        } catch {
            exit(withError: error)
        }
    }
}
