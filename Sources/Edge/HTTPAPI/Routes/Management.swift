internal import Core
internal import HTTPTypes
internal import Hummingbird
package import Identity
internal import NIOCore
package import Registry
package import SQLText
internal import Synchronization

/// A project that the management routes can change.
///
/// ```swift
/// let managed = ManagedProject(
///     name: project.name, policies: policies, open: { try registries.open() },
///     log: { AttemptLauncher.log(of: $0, attempt: $1, in: logs) })
/// ```
package struct ManagedProject: Sendable {
    /// Name of the project as in its martlet.yaml.
    package let name: String
    /// Approval policy of each model.
    package let policies: [String: ApprovalPolicy]
    /// Opens the project's registry for writing, and its database.
    package let open: @Sendable () throws -> (registry: ModelRegistry, database: any SQLDatabase)
    /// Returns the path of a job attempt's log file.
    package let log: @Sendable (_ job: String, _ attempt: Int) -> String

    package init(
        name: String, policies: [String: ApprovalPolicy],
        open: @escaping @Sendable () throws -> (registry: ModelRegistry, database: any SQLDatabase),
        log: @escaping @Sendable (_ job: String, _ attempt: Int) -> String
    ) {
        self.name = name
        self.policies = policies
        self.open = open
        self.log = log
    }
}

/// Dependencies of the routes for training, models and deployment.
///
/// ```swift
/// let management = Management(
///     [managed], identity: identity, prepare: { try champions.prepare(project: $0, model: $1, version: $2) },
///     changed: { champions.look(project: $0) })
/// ```
package struct Management: Sendable {
    /// The projects of this server; the first is the default for requests and tokens that name none.
    package let projects: [ManagedProject]
    let identity: IdentityService
    /// Takes what was changed in a project into account before the change is answered; blocks.
    private let changed: @Sendable (_ project: String) -> Void
    /// Loads a version, checks and tries it, and keeps it ready; throws where it cannot answer. Blocks.
    let prepare: @Sendable (_ project: String, _ model: String, _ version: Int) throws -> Void
    private let idempotency = IdempotencyGuard()

    package init(
        _ projects: [ManagedProject], identity: IdentityService,
        prepare: @escaping @Sendable (_ project: String, _ model: String, _ version: Int) throws -> Void = { _, _, _ in
        }, changed: @escaping @Sendable (_ project: String) -> Void
    ) {
        self.prepare = prepare
        self.projects = projects
        self.identity = identity
        self.changed = changed
    }

    /// The project that a request is about: the one it names, else the token's own, else the server's first.
    func project(_ request: Request, _ context: APIContext) throws -> ManagedProject {
        let asked = request.uri.queryParameters["project"].map(String.init)
        let name = asked ?? context.principal?.project
        if let name { try context.require(project: name) }
        guard let project = name == nil ? projects.first : projects.first(where: { $0.name == name }) else {
            throw Problem(
                .notFound, "serving.unknown-project", "This server has no project '\((name ?? "").prefix(80))'.",
                remedy: "It has: \(projects.map(\.name).joined(separator: ", ")).")
        }
        return project
    }

    /// The audit of all projects of this server. Blocks.
    func audit() throws -> ServerAudit {
        ServerAudit([identity.store.database] + (try projects.map { try $0.open().database }))
    }

    /// Makes a version champion, after it was loaded, checked and tried. Blocks.
    func promote(
        _ reference: ModelReference, reason: String?, in project: ManagedProject, _ registry: ModelRegistry
    ) throws -> ChampionMove {
        // As a number: an alias could move while the version is tried.
        let found = try registry.models.resolve(reference)
        try registry.models.checkPromotable(found)
        try prepare(project.name, found.model, found.version)
        return try registry.models.promote(
            ModelReference(model: found.model, selector: .version(found.version)), reason: reason)
    }

    /// Approves a version; one that becomes the first champion by that is tried before. Blocks.
    func approve(
        _ reference: ModelReference, reason: String?, in project: ManagedProject, _ registry: ModelRegistry
    ) throws -> VersionSummary {
        let found = try registry.models.resolve(reference)
        if try registry.models.history(found.model).champion == nil, found.approval.state == .pending {
            try prepare(project.name, found.model, found.version)
        }
        return try registry.models.approve(
            ModelReference(model: found.model, selector: .version(found.version)), reason: reason)
    }

    /// Writes an entry to a project's audit log for an action that does not change its registry.
    @Sendable package func note(_ draft: AuditDraft, by author: Author) async throws {
        guard let project = projects.first(where: { $0.name == draft.project }) else { return }
        let now = identity.execution.now()
        try await identity.changing {
            try project.open().database.write(scope: .audit) { try AuditTable($0).append(draft, by: author, at: now) }
        }
    }

    /// Reads the registry, on a thread of its own.
    func read<Result: Sendable>(
        _ request: Request, _ context: APIContext, _ body: @escaping @Sendable (ModelRegistry) throws -> Result
    ) async throws -> Result {
        let project = try project(request, context)
        return try await identity.aside { try body(project.open().registry) }
    }

    /// Changes something, as the request's principal and with an entry in the audit in the same transaction.
    ///
    /// With an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) it is done once: the same request again gets
    /// the same answer, another request with the same key 422, and one that comes while the first is at work 409. The
    /// key is written in the transaction of the change, so that a crash between change and answer cannot make it
    /// happen twice.
    func change(
        _ request: Request, _ body: RequestBody, _ context: APIContext, status: HTTPResponse.Status = .ok,
        _ act: @escaping @Sendable (ManagedProject, ModelRegistry) throws -> String
    ) async throws -> Response {
        let project = try project(request, context)
        let author = context.author
        let key = try IdempotencyKeyHeader.of(request)
        let digest = Management.digest(request, body)
        let now = identity.execution.now()
        let (answer, code, isReplay) = try await identity.changing {
            let (registry, database) = try project.open()
            func record(_ alongside: (@Sendable (any SQLConnection) throws -> Void)?) -> ModelRegistry {
                registry.audited(by: author) { connection, _ in try alongside?(connection) }
            }
            defer { changed(project.name) }
            guard let key else { return (try act(project, record(nil)), status.code, false) }
            let mark = IdempotencyKey(project: project.name, actor: author.actor, key: key, digest: digest)
            return try idempotency.alone(mark.name) {
                let keys = IdempotencyTable(database)
                if let kept = try keys.find(mark, at: now) { return (kept.answer, kept.status, true) }
                let answer = try act(project, record { try IdempotencyTable.write(mark, at: now, $0) })
                try keys.keep(mark, status: status.code, answer: answer, at: now)
                return (answer, status.code, false)
            }
        }
        var headers: HTTPFields = [.contentType: "application/json"]
        if isReplay { headers[.idempotencyReplayed] = "true" }
        return Response(
            status: .init(code: code), headers: headers, body: .init(byteBuffer: ByteBuffer(string: answer)))
    }

    private static func digest(_ request: Request, _ body: RequestBody) -> Digest {
        var text = Array("\(request.method.rawValue) \(request.uri.string)\n".utf8)
        text.append(contentsOf: body.bytes.readableBytesView)
        return Digest(of: text)
    }
}

/// Idempotency keys of requests in progress in this process.
private final class IdempotencyGuard: Sendable {
    private let names = Mutex<Set<String>>([])

    func alone<Result>(_ name: String, _ body: () throws -> Result) throws -> Result {
        guard names.withLock({ $0.insert(name).inserted }) else {
            throw Problem(
                .conflict, "request.underway", "The request with this Idempotency-Key is still at work.",
                remedy: "Ask again in a moment.")
        }
        defer { names.withLock { _ = $0.remove(name) } }
        return try body()
    }
}

extension HTTPField.Name {
    static let idempotencyKey = own("Idempotency-Key")
    static let idempotencyReplayed = own("Idempotency-Replayed")
}
