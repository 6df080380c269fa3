internal import Core
internal import Identity
internal import NIOHTTP1
internal import Serving

/// The head of a request that the fast path may answer.
struct FastPathRequest {
    let head: HTTPRequestHead
    let call: ScoringCall
    let requestID: String?
    let idempotencyKey: String?
    let principal: Principal
    /// A place in `FastPathMetrics.routes`.
    let route: Int
    /// As the proxy in front tells it.
    let forwardedAddress: String?
    /// Seconds of the clock that only goes forward.
    let arrived: Double
}

/// What is kept of a request until its response is written.
struct ResponseContext {
    let form: ScoringForm
    let requestID: String
    let keepsAlive: Bool
    let principal: Principal
    let route: Int
    let arrived: Double
    let forwardedAddress: String?

    init(_ request: FastPathRequest, requestID: String, keepsAlive: Bool) {
        form = request.call.form
        self.requestID = requestID
        self.keepsAlive = keepsAlive
        principal = request.principal
        route = request.route
        arrived = request.arrived
        forwardedAddress = request.forwardedAddress
    }
}

/// Table of the routes that the fast path may answer, by their whole path.
struct FastPathRoutes: Sendable {
    private let calls: [String: (call: ScoringCall, route: Int)]
    private let isBehindProxy: Bool
    let limits: ScoringLimits
    let ids: RequestIDs
    let execution: ExecutionContext
    let accessLog: AccessLog
    let gatekeeper: any Gatekeeper
    /// The server ends: every answer closes its connection, so that clients go elsewhere with the next request.
    let isDraining: @Sendable () -> Bool

    init(
        _ catalog: ModelCatalog, limits: ScoringLimits, ids: RequestIDs, gatekeeper: any Gatekeeper,
        isDraining: @escaping @Sendable () -> Bool, context execution: ExecutionContext,
        accessLog: AccessLog
    ) {
        var calls: [String: (call: ScoringCall, route: Int)] = [:]
        func add(_ path: String, _ route: Int, _ form: ScoringForm, _ slot: ModelSlot) {
            if calls[path] == nil { calls[path] = (ScoringCall(form: form, slot: slot), route) }
        }
        for slot in catalog.slots {
            let (project, model) = (slot.key.project, slot.key.model)
            // In the order of `FastPathMetrics.routes`.
            let native = [
                "/predict", "/api/predict", "/projects/\(project)/predict",
                "/projects/\(project)/models/\(model)/predict",
            ]
            for (route, path) in native.enumerated() { add(path, route, .native, slot) }
            add("/invocations", 4, .invocations, slot)
            add("/projects/\(project)/models/\(model)/invocations", 5, .invocations, slot)
            for name in [model, "\(project).\(model)"] { add("/v2/models/\(name)/infer", 6, .tensors(name), slot) }
        }
        self.calls = calls
        isBehindProxy = gatekeeper.site?.isBehindProxy ?? false
        self.limits = limits
        self.ids = ids
        self.gatekeeper = gatekeeper
        self.isDraining = isDraining
        self.execution = execution
        self.accessLog = accessLog
    }

    /// What the fast path is to answer; `nil` for a request that is the router's.
    func request(_ head: HTTPRequestHead) -> FastPathRequest? {
        guard head.method == .POST, head.version == .http1_1, let found = calls[head.uri] else { return nil }
        var call = found.call
        var requestID: String?
        var idempotencyKey: String?
        var host: String?
        var forwardedHost: String?
        var forwardedAddress: String?
        var authorization: String?
        for (name, value) in head.headers {
            // Few headers matter, and they differ in length.
            switch name.utf8.count {
            case 4 where name.lowercased() == "host": host = value
            case 6 where ["expect", "origin"].contains(name.lowercased()): return nil
            case 7 where name.lowercased() == "upgrade": return nil
            case 12 where name.lowercased() == "content-type": call.contentType = value
            case 12 where name.lowercased() == "x-request-id":
                guard let given = EdgeMiddleware.accepted(value) else { continue }
                requestID = given
            case 13 where name.lowercased() == "authorization":
                // Of two, the router says which is wrong.
                if authorization != nil { return nil }
                authorization = value
            case 14 where name.lowercased() == "content-length":
                guard let size = Int(value), size <= limits.fastPathBytes else { return nil }
            case 15 where name.lowercased() == "idempotency-key":
                if idempotencyKey != nil || !IdempotencyKeyHeader.isValid(value) { return nil }
                idempotencyKey = value
            case 16 where name.lowercased() == "content-encoding": return nil
            case 17 where name.lowercased() == "transfer-encoding":
                guard case .plain = BodyCodings([value]) else { return nil }
            case 15 where isBehindProxy && name.lowercased() == "x-forwarded-for":
                forwardedAddress = String(Forwarded.last(value))
            // The router looks at what a proxy tells.
            case 16 where isBehindProxy && name.lowercased() == "x-forwarded-host": forwardedHost = value
            case 17 where isBehindProxy && name.lowercased() == "x-forwarded-proto":
                if value != "https" { return nil }
            case 31 where name.lowercased() == "inference-header-content-length":
                guard let size = Int(value) else { return nil }
                call.jsonBytes = size
            default: break
            }
        }
        let project = call.slot.key.project
        if let forwardedHost { host = String(Forwarded.last(forwardedHost)) }
        guard
            let principal = gatekeeper.admitsImmediately(host: host, authorization: authorization, project: project)
        else { return nil }
        return FastPathRequest(
            head: head, call: call, requestID: requestID, idempotencyKey: idempotencyKey,
            principal: principal, route: found.route, forwardedAddress: forwardedAddress, arrived: execution.uptime()
        )
    }

    /// Whether the body may be awaited before the router gets the request: it is small, or of unknown length, and it is not
    /// answered while it comes.
    func gathers(_ head: HTTPRequestHead) -> Bool {
        if head.uri.prefix(while: { $0 != "?" }).hasSuffix("/predict/batch") { return false }
        if let length = head.headers.first(name: "content-length") {
            return Int(length).map { (1...limits.fastPathBytes).contains($0) } ?? false
        }
        return head.headers.contains(name: "transfer-encoding")
    }

    /// Whether a head names more than one host.
    static func hasManyHosts(_ head: HTTPRequestHead) -> Bool {
        var hosts = 0
        for (name, _) in head.headers where name.utf8.count == 4 && name.lowercased() == "host" { hosts += 1 }
        return hosts > 1
    }

    /// Whether the end of the body cannot be known.
    static func hasUnclearCodings(_ head: HTTPRequestHead) -> Bool {
        // Few requests have one.
        guard head.headers.contains(name: "transfer-encoding") else { return false }
        if case .unclear = BodyCodings(head.headers["transfer-encoding"]) { return true }
        return false
    }

    /// Whether nothing is read behind this request: it asks for that, or for another protocol, which is not given, but
    /// the parser stops there (`java.net.http` asks for HTTP/2 with its first request).
    static func endsConnection(_ head: HTTPRequestHead) -> Bool {
        !head.isKeepAlive || head.version == .http1_0 || head.method == .CONNECT
            || head.headers.contains(name: "upgrade")
    }
}
