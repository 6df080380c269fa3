internal import Composition
internal import Core
internal import Foundation
internal import HTTPAPI
internal import Hummingbird
internal import Logging
internal import NIOPosix
internal import PredictionLog
internal import Projects
internal import ServiceLifecycle
internal import Serving
internal import UnixSignals

/// Assembles `martlet serve`: server, background services, threads, and the order of shutdown.
struct ServerApplication {
    private let command: ServeCommand
    private let served: [ServedProject]
    private let certificate: CertificateFiles?
    private let context: ExecutionContext
    private let logger: Logger

    private let catalog: ModelCatalog
    private let champions: ChampionWatch
    private let drain: Drain
    private let threads = NIOThreadPool(numberOfThreads: 4)
    private let identity: IdentityService
    private let management: Management
    private let workers: WorkerWatch
    private let features: FeatureWorkerPool
    private let logs: LogWatch

    /// Loads the champions; blocks on the disk.
    init(
        _ command: ServeCommand, _ served: [ServedProject], _ certificate: CertificateFiles?,
        _ context: ExecutionContext, _ logger: Logger
    ) async throws {
        self.command = command
        self.served = served
        self.certificate = certificate
        self.context = context
        self.logger = logger
        catalog = ModelCatalog(
            served.flatMap(\.keys), freshness: { Freshness(limit: command.staleLimit, clock: context.clock) })
        let champions = ChampionWatch(served, catalog: catalog, clock: context.clock, logger: logger)
        champions.look()
        self.champions = champions
        let drain = Drain(grace: command.drainSeconds, clock: context.clock)
        self.drain = drain
        threads.start()
        let edge = command.edge
        identity = try await ServerIdentity.identity(
            of: served[0],
            site: Site(names: edge.names + [edge.host], isSecure: edge.isSecure, isBehindProxy: edge.behindProxy),
            staleLimit: command.staleLimit, context: context, threads: threads)
        management = Management(
            served.map(\.managed), identity: identity,
            prepare: { try champions.prepare(project: $0, model: $1, version: $2) },
            changed: { champions.look(project: $0) })
        workers = WorkerWatch(
            command.workers > 0 ? served : [], slots: command.workers, grace: 10, clock: context.clock,
            isEnding: { drain.isDraining }, logger: logger)
        features = FeatureWorkerPool(served, context: context)
        logs = LogWatch(
            served, options: command.logging, hasWorkers: command.workers > 0, context: context,
            logger: logger)
        PathRedaction.hide(below: served.flatMap { [$0.home.folder, $0.project.folder] })
    }

    /// Answers until SIGTERM or SIGINT, finishes what was begun, and ends what works beside it.
    func run() async throws {
        Thread.detachNewThread { champions.run(every: 0.5, lookingEvery: 10) }
        let memory = MemoryWatch(clock: context.clock)
        memory.start()
        logs.start()
        let reload: (@Sendable () throws -> Bool)? =
            if let certificate { { try certificate.reload() } } else { nil }
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    server.application { port in
                        logger.info("listening", metadata: ["host": "\(command.edge.host)", "port": "\(port)"])
                        offerSetup(port: port)
                        workers.start()
                    }, IdentityWatch(identity, logger: logger),
                    CertificateWatch(
                        reload: reload, threads: threads,
                        clock: context.clock, logger: logger), drain,
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
        champions.end()
        logs.end()
        memory.end()
        features.stop()
        while workers.isLiving { try? await context.clock.sleep(seconds: 0.05) }
        for project in served { try await project.log?.shutDown() }
    }

    private func offerSetup(port: Int) {
        let link: String
        do {
            guard let made = try ServerIdentity.setupLink(identity, host: command.edge.host, port: port) else { return }
            link = made
        } catch {
            return logger.error("no setup link could be made", metadata: ["reason": "\(error)"])
        }
        FileHandleText.error("There is no user yet. Make the first admin within an hour at\n  \(link)")
    }

    private var server: FrontServer {
        let edge = command.edge
        let metrics = ServerMetrics()
        var accessLog = AccessLog(logger: logger)
        accessLog.tellsAll = edge.accessLog
        accessLog.slow = edge.slowMs / 1000
        var settings = FrontServer.Settings(host: edge.host, port: command.port)
        settings.certificate = certificate
        settings.connections = OwnProcess.connections(upTo: edge.maxConnections)
        if settings.connections < edge.maxConnections {
            logger.notice(
                "fewer connections than --max-connections: the system allows too few open files",
                metadata: ["connections": "\(settings.connections)"])
        }
        settings.timeouts = edge.timeouts
        settings.loops = command.loops ?? SystemPlatform.processors
        settings.listener = drain.listener
        let gate = LimitingGate(
            IdentityGate(identity), known: edge.limits.known, strangers: edge.limits.strangers,
            share: max(1, edge.maxRequests / 4), metrics: metrics, context: context)
        return FrontServer(
            settings, catalog: catalog, routes: routes(metrics), gatekeeper: gate, isDraining: isDraining,
            observer: RequestObserver(
                metrics: metrics, accessLog: accessLog, most: edge.maxRequests, isBehindProxy: edge.behindProxy,
                context: context, unrouted: gate.checkUnrouted), context: context, logger: logger)
    }

    private var isDraining: @Sendable () -> Bool { { [drain] in drain.isDraining } }

    private func routes(_ metrics: ServerMetrics) -> RouteTable {
        let work = ScoringWork(
            limits: ScoringLimits(), threads: max(1, SystemPlatform.processors - 1), context: context,
            yield: SystemPlatform.yieldThread)
        let scratch = served[0].home.scratch
        var batches = BatchSettings(scratch: scratch)
        command.batches.apply(to: &batches)
        batches.yield = SystemPlatform.yieldThread
        batches.converter = ParquetConverter()
        batches.cutOff = { [logger] id, reason in
            logger.warning("a batch's answer was cut off", metadata: ["request": "\(id)", "reason": "\(reason)"])
        }
        var services = RouteTable.Services(
            version: ServeCommand.version, catalog: catalog, management: management, metrics: metrics, work: work,
            room: MemoryBudget(scratch: scratch, context: context), batches: batches, features: features,
            context: context)
        services.isDraining = isDraining
        services.metricsOpen = command.edge.metricsOpen
        services.openAPIOpen = command.edge.openAPIOpen
        services.logs = served.compactMap { project in
            project.log.map { log in (project.project.name, { log.counters }) }
        }
        let process = OwnProcess(started: Double(context.now().microseconds) / 1e6)
        services.process = { process.figures() }
        return .product(services)
    }
}
