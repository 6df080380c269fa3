package import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import NIOPosix
package import ServiceLifecycle
package import Serving
package import Vocabulary

/// The server: one port, all routes.
package struct FrontServer: Sendable {
    package struct Settings: Sendable {
        package var host: String
        /// 0 takes a free one.
        package var port: Int
        /// Threads that read, score and write.
        package var loops = 2
        package var limits = ScoringLimits()

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
    let surroundings: Surroundings
    let logger: Logger
    private let ids: RequestIDs

    package init(
        _ settings: Settings, catalog: ModelCatalog, routes table: RouteTable, gatekeeper: any Gatekeeper,
        isDraining: @escaping @Sendable () -> Bool, surroundings: Surroundings,
        logger: Logger
    ) {
        self.settings = settings
        self.catalog = catalog
        self.table = table
        self.gatekeeper = gatekeeper
        self.isDraining = isDraining
        self.surroundings = surroundings
        self.logger = logger
        ids = RequestIDs(newID: surroundings.newID)
    }

    /// Serves until it is asked to end (graceful shutdown of its service group), then finishes what it began.
    /// - Parameter whenListening: told the port once requests are taken.
    package func application(whenListening: @escaping @Sendable (Int) async -> Void) -> some ApplicationProtocol {
        let router = table.router(gatekeeper: gatekeeper, edge: EdgeMiddleware(ids: ids, isDraining: isDraining))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.loops)
        let makeLane = lanes(on: group)
        return Application(
            router: router,
            server: HTTPServerBuilder { responder in FrontChannel(responder: responder, makeLane: makeLane) },
            configuration: ApplicationConfiguration(address: .hostname(settings.host, port: settings.port)),
            onServerRunning: { channel in await whenListening(channel.localAddress?.port ?? settings.port) },
            eventLoopGroupProvider: .shared(group), logger: logger)
    }

    /// Makes the lanes of connections; those of one event loop share a bench.
    private func lanes(on group: some EventLoopGroup) -> @Sendable (any EventLoop) -> ScoringLane? {
        let map = LaneMap(
            catalog, limits: settings.limits, ids: ids, gatekeeper: gatekeeper, isDraining: isDraining,
            surroundings: surroundings)
        let benches = Dictionary(
            uniqueKeysWithValues: group.makeIterator().map {
                (ObjectIdentifier($0), NIOLoopBoundBox.makeEmptyBox(valueType: LaneBench.self, eventLoop: $0))
            })
        return { [surroundings] loop in
            guard let box = benches[ObjectIdentifier(loop)] else { return nil }
            let bench = box.value ?? LaneBench(loop: loop, now: surroundings.now)
            box.value = bench
            return ScoringLane(map, bench)
        }
    }
}
