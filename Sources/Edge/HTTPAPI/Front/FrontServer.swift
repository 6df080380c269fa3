package import Core
package import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
package import Serving

/// The HTTP server: one port for all routes, with the fast path for small predictions.
///
/// ```swift
/// let server = FrontServer(
///     settings, catalog: catalog, routes: table, gatekeeper: gate, isDraining: { false }, observer: observer,
///     context: context, logger: logger)
/// let application = server.application { port in print(port) }
/// ```
package struct FrontServer: Sendable {
    /// Address, limits and timeouts of the server.
    package struct Settings: Sendable {
        /// Host name or IP address to listen on; `127.0.0.1` for clients on this machine only.
        package var host: String
        /// TCP port; 0 takes a free one.
        package var port: Int
        /// Number of event loop threads, which read, score and write.
        package var loops = 2
        /// Limits of predictions on the fast path; other routes have those of their `ScoringWork`.
        package var limits = ScoringLimits()
        /// TLS certificate; `nil` for HTTP without TLS.
        package var certificate: CertificateFiles?
        /// Times after which slow and idle connections are closed.
        package var timeouts = ConnectionTimeouts()
        /// Largest number of open connections.
        package var connections = 10_000
        /// Handle of the listening socket, by which a shutdown stops new connections.
        package var listener = Listener()

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    let settings: Settings
    let catalog: ModelCatalog
    let table: RouteTable
    let gatekeeper: any Gatekeeper
    let isDraining: @Sendable () -> Bool
    let execution: ExecutionContext
    let observer: RequestObserver
    let logger: Logger
    private let ids: RequestIDs

    package init(
        _ settings: Settings, catalog: ModelCatalog, routes table: RouteTable, gatekeeper: any Gatekeeper,
        isDraining: @escaping @Sendable () -> Bool, observer: RequestObserver, context execution: ExecutionContext,
        logger: Logger
    ) {
        self.settings = settings
        self.catalog = catalog
        self.table = table
        self.gatekeeper = gatekeeper
        self.isDraining = isDraining
        self.execution = execution
        self.observer = observer
        self.logger = logger
        ids = RequestIDs(newID: execution.newID)
    }

    /// Returns the service that serves until graceful shutdown and then finishes open requests.
    /// - Parameter whenListening: called with the port once requests are accepted.
    package func application(whenListening: @escaping @Sendable (Int) async -> Void) -> some ApplicationProtocol {
        let router = table.router(
            gatekeeper: gatekeeper, edge: EdgeMiddleware(ids: ids, isDraining: isDraining, observer: observer))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.loops)
        let makeFastPath = fastPaths(on: group)
        return Application(
            router: router,
            server: HTTPServerBuilder { [settings, observer, execution] responder in
                FrontChannel(
                    responder: responder, settings: settings, metrics: observer.metrics, clock: execution.clock,
                    makeFastPath: makeFastPath)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), backlog: 1024),
            onServerRunning: { channel in
                settings.listener.opened(channel)
                await whenListening(channel.localAddress?.port ?? settings.port)
            },
            eventLoopGroupProvider: .shared(group), logger: logger)
    }

    /// Makes the fast paths of connections; those of one event loop share a state.
    private func fastPaths(on group: some EventLoopGroup)
        -> @Sendable (any EventLoop, ConnectionProgress) -> FastPathHandler?
    {
        let routes = FastPathRoutes(
            catalog, limits: settings.limits, ids: ids, gatekeeper: gatekeeper, isDraining: isDraining,
            context: execution, accessLog: observer.accessLog)
        let states = Dictionary(
            uniqueKeysWithValues: group.makeIterator().map {
                (ObjectIdentifier($0), NIOLoopBoundBox.makeEmptyBox(valueType: FastPathState.self, eventLoop: $0))
            })
        return { [execution, observer] loop, progress in
            guard let box = states[ObjectIdentifier(loop)] else { return nil }
            if let shared = box.value { return FastPathHandler(routes, shared, progress) }
            let shared = FastPathState(loop: loop, clock: execution.clock)
            box.value = shared
            let bound = NIOLoopBound(shared, eventLoop: loop)
            observer.metrics.add(fastPath: { (try? await loop.submit { bound.value.metrics.requests }.get()) ?? [:] })
            return FastPathHandler(routes, shared, progress)
        }
    }
}
