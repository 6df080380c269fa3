import Core
import Foundation
import HTTPAPI
import HTTPTypes
import Hummingbird
import Identity
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Registry
import SQLText
import SQLite
import Serving
import Synchronization
import TestSupport
import Testing

/// A server without sockets: its router, over real stores in a folder that goes when the test ends.
final class ServerFixture: Sendable {
    let folder: String
    let database: any SQLDatabase
    let registry: ModelRegistry
    let store: IdentityStore
    let identity: IdentityService
    let table: RouteTable
    let clock = VirtualClock(start: 1_800_000_000)
    private let respond: @Sendable (Request, APIContext) async throws -> Response

    static let password = "correct horse battery staple"
    static let project = "lab"

    init(names: [String] = [], isSecure: Bool = false) async throws {
        folder = FileManager.default.temporaryDirectory.path + "/martlet-fixture-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let context = clock.context()
        let database = try TestDatabase.open(folder)
        self.database = database
        let registry = try ModelRegistry.open(database, project: ServerFixture.project, context: context)
        self.registry = registry
        store = IdentityStore(database, author: Author(actor: "test"), context: context)
        let key = try SigningKey(
            path: folder + "/session.key", random: { _ in (0..<32).map { _ in UInt8.random(in: 0...255) } })
        let logs = folder
        identity = IdentityService(
            store: store, known: KnownPrincipals(store), cookies: await SessionCookies(key), context: context,
            threads: NIOThreadPool.singleton, writers: NIOThreadPool.singleton, passwords: NIOThreadPool.singleton,
            site: Site(names: names, isSecure: isSecure))
        let management = Management(
            [
                ManagedProject(
                    name: ServerFixture.project, policies: ["readmission": .required],
                    open: { (registry, database) }, log: { "\(logs)/\($0)-\($1).log" })
            ], identity: identity, changed: { _ in })
        let catalog = ModelCatalog([ModelKey(project: ServerFixture.project, model: "readmission")])
        let work = ScoringWork(limits: ScoringLimits(), threads: 1, context: context)
        let room = MemoryRoom(scratch: folder, context: context)
        let predictions = PredictionRoutes(catalog: catalog, work: work, room: room, context: context)
        var batches = BatchSettings(scratch: folder)
        batches.atOnce = 1
        batches.placeSeconds = 0
        table = RouteTable(
            documenting: "test", SessionRoutes(identity).routes, SetupPage.routes, ModelRoutes(management).routes,
            DeploymentRoutes(management, catalog: catalog).routes,
            TrainingRoutes(management).routes,
            MonitoringRoutes(management).routes, AuditRoutes(management).routes,
            MetricsRoutes(
                catalog: catalog, metrics: ServerMetrics(), version: "test", isOpen: false, logs: [],
                process: { ProcessFigures() }
            ).routes,
            HealthRoutes(catalog: catalog, isDraining: { false }).routes,
            predictions.routes,
            BatchRoutes(catalog: catalog, settings: batches, context: context).routes,
            MLflowRoutes(catalog: catalog, predictions: predictions, version: "test").routes,
            TensorRoutes(catalog: catalog, predictions: predictions, version: "test", isDraining: { false }).routes,
            ProcessRoutes(
                catalog: catalog, source: NoFeatures(), work: work, room: room, context: context,
                note: management.note
            ).routes)
        let responder = table.router(
            gatekeeper: IdentityGate(identity),
            edge: EdgeMiddleware(ids: RequestIDs(newID: context.newID), isDraining: { false })
        ).buildResponder()
        respond = { try await responder.respond(to: $0, context: $1) }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// A new token's secret, known to the server.
    func token(_ role: Role, project: String? = ServerFixture.project, seconds: Int64? = nil) throws -> String {
        let end = seconds.map { clock.time.adding(seconds: Int($0)) }
        let name = "\(role.rawValue)-\(UUID().uuidString.prefix(8).lowercased())"
        let secret = try store.createToken(name, role: role, project: project, expires: end).secret.text
        try identity.known.refresh()
        return secret
    }

    /// A request as it comes through the socket, and what is answered.
    func ask(
        _ method: HTTPRequest.Method, _ path: String, host: String = "localhost:8080", token: String? = nil,
        headers: [String: String] = [:], body: String? = nil
    ) async throws -> Answer {
        var fields = HTTPFields()
        if let token { fields[.authorization] = "Bearer \(token)" }
        if body != nil { fields[.contentType] = "application/json" }
        for (name, value) in headers {
            guard let name = HTTPField.Name(name) else { continue }
            fields[name] = value
        }
        let request = Request(
            head: HTTPRequest(method: method, scheme: "http", authority: host, path: path, headerFields: fields),
            body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
        let context = APIContext(
            source: ApplicationRequestContextSource(channel: EmbeddedChannel(), logger: Logger(label: "test")))
        let response = try await respond(request, context)
        let sink = Sink()
        try await response.body.write(sink)
        return Answer(
            status: response.status.code, headers: response.headers, body: String(decoding: sink.bytes, as: UTF8.self))
    }
}

struct Answer: CustomStringConvertible {
    let status: Int
    let headers: HTTPFields
    let body: String

    var json: JSONValue { JSONValue(parsing: body) ?? .null }
    /// The code of a problem; where the Open Inference Protocol says no, it stands at the end of its sentence.
    var code: String {
        if let code = json["code"]?.text { return code }
        guard let sentence = json["error"]?.text, sentence.hasSuffix("]"), let start = sentence.lastIndex(of: "[")
        else { return "" }
        return String(sentence[sentence.index(after: start)...].dropLast())
    }
    var description: String { "\(status) \(body.prefix(400))" }

    /// The session's cookie, as a browser would send it back.
    var cookie: String {
        String(headers[.setCookie]?.split(separator: ";").first ?? "")
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
