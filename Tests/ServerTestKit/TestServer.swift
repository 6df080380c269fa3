internal import Core
internal import Foundation
package import HTTPAPI
package import HTTPTypes
internal import Hummingbird
package import Identity
internal import Logging
internal import NIOCore
internal import NIOEmbedded
internal import NIOPosix
package import Registry
package import SQLText
package import Serving
package import TestSupport

/// The product's route table over real stores on a virtual clock: asked without sockets, or through a port of the
/// product's own server.
///
/// ```swift
/// let server = try await TestServer()
/// let answer = try await server.ask(.get, "/api/models", token: server.token(.viewer))
/// try await server.listening { port in
///     #expect(try await port.ask(.get, "/health/live").status == 200)
/// }
/// ```
package final class TestServer: Sendable {
    /// Where the stores are, and what belongs to them; goes with the server when nobody else keeps it.
    private let keeping: TemporaryFolder
    package let folder: String
    package let database: any SQLDatabase
    package let registry: ModelRegistry
    package let store: IdentityStore
    package let identity: IdentityService
    package let catalog: ModelCatalog
    package let table: RouteTable
    package let clock: VirtualClock

    let context: ExecutionContext
    let metrics = ServerMetrics()
    private let respond: @Sendable (Request, APIContext) async throws -> Response

    package static let password = "correct horse battery staple"
    package static let project = "lab"

    /// A server of the project `lab` with the model `readmission`, of which nothing is registered yet. Jobs' logs are
    /// in its folder, by job and attempt.
    package convenience init(names: [String] = [], isSecure: Bool = false) async throws {
        let clock = VirtualClock(start: 1_800_000_000)
        let folder = try TemporaryFolder()
        let database = try TestDatabase.open(folder.path)
        let registry = try ModelRegistry.open(database, project: TestServer.project, context: clock.context())
        let logs = folder.path
        let project = ManagedProject(
            name: TestServer.project, policies: ["readmission": .required],
            open: { (registry, database) }, log: { "\(logs)/\($0)-\($1).log" })
        try await self.init(
            project, catalog: ModelCatalog([ModelKey(project: project.name, model: "readmission")]), in: folder,
            site: Site(names: names, isSecure: isSecure), clock: clock)
    }

    /// A server of any project.
    /// - Parameters:
    ///   - folder: for the key of sessions and what is thrown away.
    ///   - prepare: see ``Management``.
    ///   - changed: is told after every change over HTTP.
    ///   - isDraining: whether it is shutting down.
    package init(
        _ project: ManagedProject, catalog: ModelCatalog, in folder: TemporaryFolder,
        site: Site = Site(names: [], isSecure: false), clock: VirtualClock,
        prepare: @escaping @Sendable (_ project: String, _ model: String, _ version: Int) throws -> Void = { _, _, _ in
        }, changed: @escaping @Sendable (_ project: String) -> Void = { _ in },
        isDraining: @escaping @Sendable () -> Bool = { false }
    ) async throws {
        keeping = folder
        self.folder = folder.path
        self.clock = clock
        self.catalog = catalog
        let context = clock.context()
        self.context = context
        (registry, database) = try project.open()
        store = IdentityStore(database, author: Author(actor: "test"), context: context)
        // No two servers have the same.
        let key = try SigningKey(
            path: folder.path + "/session.key", random: { _ in (0..<32).map { _ in UInt8.random(in: 0...255) } })
        let threads = NIOThreadPool.singleton
        let identity = IdentityService(
            store: store, known: PrincipalCache(store), cookies: await SessionCookies(key), context: context,
            threads: threads, writers: threads, passwords: threads, site: site)
        self.identity = identity
        var batches = BatchSettings(scratch: folder.path)
        batches.atOnce = 1
        batches.placeSeconds = 0
        var services = RouteTable.Services(
            version: "test", catalog: catalog,
            management: Management([project], identity: identity, prepare: prepare, changed: changed),
            metrics: metrics, work: ScoringWork(limits: ScoringLimits(), threads: 1, context: context),
            room: MemoryBudget(scratch: folder.path, context: context), batches: batches, features: NoFeatures(),
            context: context)
        services.isDraining = isDraining
        table = .product(services)
        let responder = table.router(
            gatekeeper: IdentityGate(identity),
            edge: EdgeMiddleware(ids: RequestIDs(newID: context.newID), isDraining: isDraining)
        ).buildResponder()
        respond = { try await responder.respond(to: $0, context: $1) }
    }

    /// A new token's secret, known to the server.
    package func token(_ role: Role, seconds: Int64? = nil) throws -> String {
        try token(role, project: registry.project, seconds: seconds)
    }

    /// The same for another project, or for all.
    package func token(_ role: Role, project: String?, seconds: Int64? = nil) throws -> String {
        let end = seconds.map { clock.time.adding(seconds: Int($0)) }
        let name = "\(role.rawValue)-\(UUID().uuidString.prefix(8).lowercased())"
        let secret = try store.createToken(name, role: role, project: project, expires: end).secret.text
        try identity.known.refresh()
        return secret
    }

    /// A request as it comes through the socket, and what is answered.
    package func ask(
        _ method: HTTPRequest.Method, _ path: String, host: String = "localhost:8080", token: String? = nil,
        headers: [String: String] = [:], body: String? = nil
    ) async throws -> TestAnswer {
        let request = Request(
            head: HTTPRequest(
                method: method, scheme: "http", authority: host, path: path,
                headerFields: Self.fields(token, headers, hasBody: body != nil)),
            body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
        let context = APIContext(
            source: ApplicationRequestContextSource(channel: EmbeddedChannel(), logger: Logger(label: "test")))
        let response = try await respond(request, context)
        let sink = Sink()
        try await response.body.write(sink)
        return TestAnswer(
            status: response.status.code, headers: response.headers, body: String(decoding: sink.bytes, as: UTF8.self))
    }

    static func fields(_ token: String?, _ headers: [String: String], hasBody: Bool) -> HTTPFields {
        var fields = HTTPFields()
        if let token { fields[.authorization] = "Bearer \(token)" }
        if hasBody { fields[.contentType] = "application/json" }
        for (name, value) in headers {
            guard let name = HTTPField.Name(name) else { continue }
            fields[name] = value
        }
        return fields
    }
}

private final class Sink: ResponseBodyWriter, @unchecked Sendable {
    // One response is written by one task.
    private var buffer = ByteBuffer()
    var bytes: [UInt8] { Array(buffer.readableBytesView) }

    func write(_ part: ByteBuffer) async throws {
        var part = part
        buffer.writeBuffer(&part)
    }

    func finish(_ trailers: HTTPFields?) async throws {}
}
