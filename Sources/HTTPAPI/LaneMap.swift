internal import NIOHTTP1
internal import Serving
internal import Vocabulary

/// A request that the lane may answer, from its head.
struct LaneRequest {
    let head: HTTPRequestHead
    let call: ScoringCall
    let requestID: String?
    let idempotencyKey: String?
    /// Seconds of the clock that only goes forward.
    let arrived: Double
}

/// Which requests the lane may answer, found by their whole path.
struct LaneMap: Sendable {
    private let calls: [String: ScoringCall]
    let limits: ScoringLimits
    let ids: RequestIDs
    let surroundings: Surroundings
    private let gatekeeper: any Gatekeeper
    /// The server ends: every answer closes its connection, so that clients go elsewhere with the next request.
    let isDraining: @Sendable () -> Bool

    init(
        _ catalog: ModelCatalog, limits: ScoringLimits, ids: RequestIDs, gatekeeper: any Gatekeeper,
        isDraining: @escaping @Sendable () -> Bool, surroundings: Surroundings
    ) {
        var calls: [String: ScoringCall] = [:]
        func add(_ path: String, _ form: ScoringForm, _ slot: ModelSlot) {
            if calls[path] == nil { calls[path] = ScoringCall(form: form, slot: slot) }
        }
        for slot in catalog.slots {
            let (project, model) = (slot.key.project, slot.key.model)
            for path in [
                "/predict", "/api/predict", "/projects/\(project)/predict",
                "/projects/\(project)/models/\(model)/predict",
            ] {
                add(path, .native, slot)
            }
            add("/invocations", .invocations, slot)
            add("/projects/\(project)/models/\(model)/invocations", .invocations, slot)
            for name in [model, "\(project).\(model)"] { add("/v2/models/\(name)/infer", .tensors(name), slot) }
        }
        self.calls = calls
        self.limits = limits
        self.ids = ids
        self.gatekeeper = gatekeeper
        self.isDraining = isDraining
        self.surroundings = surroundings
    }

    /// What the lane is to answer; `nil` for a request that is the router's.
    func request(_ head: HTTPRequestHead) -> LaneRequest? {
        guard head.method == .POST, head.version == .http1_1, var call = calls[head.uri] else { return nil }
        var requestID: String?
        var idempotencyKey: String?
        var host: String?
        var authorization: String?
        for (name, value) in head.headers {
            // Few headers matter, and they differ in length.
            switch name.utf8.count {
            case 4 where name.lowercased() == "host": host = value
            case 6 where ["expect", "origin"].contains(name.lowercased()): return nil
            case 12 where name.lowercased() == "content-type": call.contentType = value
            case 12 where name.lowercased() == "x-request-id":
                guard let given = EdgeMiddleware.accepted(value) else { continue }
                requestID = given
            case 13 where name.lowercased() == "authorization": authorization = value
            case 14 where name.lowercased() == "content-length":
                guard let size = Int(value), size <= limits.laneBytes else { return nil }
            case 15 where name.lowercased() == "idempotency-key": idempotencyKey = EdgeMiddleware.accepted(value)
            case 16 where name.lowercased() == "content-encoding": return nil
            case 31 where name.lowercased() == "inference-header-content-length":
                guard let size = Int(value) else { return nil }
                call.jsonBytes = size
            default: break
            }
        }
        let project = call.slot.key.project
        guard gatekeeper.admitsAtOnce(host: host, authorization: authorization, project: project) else { return nil }
        return LaneRequest(
            head: head, call: call, requestID: requestID, idempotencyKey: idempotencyKey,
            arrived: surroundings.uptime())
    }
}
