internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import PredictionLog
internal import Serving

/// Routes for Kubernetes probes: startup, readiness, liveness.
///
/// Startup covers loading the models, readiness says whether to send requests here (no while draining), liveness only
/// that the process answers at all.
///
/// ```swift
/// let routes = HealthRoutes(catalog: catalog, isDraining: { drain.isDraining }).routes
/// ```
struct HealthRoutes: Sendable {
    let catalog: ModelCatalog
    let isDraining: @Sendable () -> Bool

    /// The routes with their handlers.
    var routes: [Route] {
        [
            Route(
                .get, "/health/live", id: "live", "Whether the process answers.", access: .anyone,
                replies: [.init(200, "It does.", .init(Self.status))]
            ) { _, _ in try .json(["status": "live"]) },
            Route(
                .get, "/health/startup", id: "startup", "Whether every model was loaded once.", access: .anyone,
                replies: [.init(200, "Started.", .init(Self.status)), .init(503, "Not yet.", .init(Self.status))]
            ) { _, _ in try answer(catalog.isReady, yes: "started", no: "starting") },
            Route(
                .get, "/health/ready", id: "ready", "Whether requests may be sent here.", access: .anyone,
                replies: [.init(200, "They may.", .init(Self.status)), .init(503, "They may not.", .init(Self.status))]
            ) { _, _ in
                try answer(catalog.isReady && !isDraining(), yes: "ready", no: isDraining() ? "draining" : "starting")
            },
            Route(
                .get, "/health", id: "health", "What is served, and what keeps it from being up to date.",
                access: .anyone,
                replies: [
                    .init(200, "All well, or degraded but answering.", .init(Self.report)),
                    .init(503, "Not answering.", .init(Self.report)),
                ]
            ) { _, _ in try .json(report, status: catalog.isReady ? .ok : .serviceUnavailable) },
        ]
    }

    private func answer(_ isWell: Bool, yes: String, no: String) throws -> Response {
        try .json(["status": isWell ? yes : no], status: isWell ? .ok : .serviceUnavailable)
    }

    /// What keeps a model from being up to date, or from answering although it is.
    static func trouble(_ slot: ModelSlot) -> String? {
        if let trouble = slot.trouble { return PathRedaction.redact(trouble) }
        guard let counters = slot.served?.journal?.log.counters else { return nil }
        if counters.hasFailed { return "The prediction log has stopped; the server must be started anew." }
        if counters.isFull { return "The prediction log has no room: the disk is full." }
        guard counters.tornFiles > 0 else { return nil }
        return "\(counters.tornFiles) damaged \(counters.tornFiles == 1 ? "piece" : "pieces") of the prediction log "
            + "(\(counters.tornFileBytes) bytes) stand aside; somebody has to look at them."
    }

    private var report: JSONValue {
        let models = catalog.slots.map { slot -> JSONValue in
            var members: [String: JSONValue] = [
                "project": .text(slot.key.project), "model": .text(slot.key.model),
                "version": slot.served.map { .integer(Int64($0.version)) } ?? .null,
            ]
            members["trouble"] = Self.trouble(slot).map { .text($0) } ?? .null
            return .object(members)
        }
        let hasTrouble = catalog.slots.contains { Self.trouble($0) != nil }
        let status = isDraining() ? "draining" : !catalog.isReady ? "starting" : hasTrouble ? "degraded" : "healthy"
        return .object(["status": .text(status), "models": .list(models)])
    }

    private static let status = Schema.object(
        .init("status", .text(oneOf: ["live", "started", "starting", "ready", "draining"])))
    private static let report = Schema.object(
        .init("status", .text(oneOf: ["healthy", "degraded", "starting", "draining"])),
        .init(
            "models",
            .list(
                .object(
                    .init("project", .text), .init("model", .text), .init("version", .integer(minimum: 1).orNull),
                    .init("trouble", .text.orNull)))))
}
