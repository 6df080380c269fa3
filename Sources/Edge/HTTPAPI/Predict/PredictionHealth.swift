internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import PredictionLog
internal import Serving

/// The probe of predictions: whether `POST /api/predict` would answer now, by which version, and whether the
/// prediction log takes its records.
///
/// ```swift
/// let routes = PredictionHealth(catalog: catalog, isDraining: isDraining, context: context).routes
/// ```
struct PredictionHealth: Sendable {
    private let catalog: ModelCatalog
    private let isDraining: @Sendable () -> Bool
    private let clock: any ExecutionClock
    /// Uptime when the routes were made.
    private let began: Double

    init(catalog: ModelCatalog, isDraining: @escaping @Sendable () -> Bool, context execution: ExecutionContext) {
        self.catalog = catalog
        self.isDraining = isDraining
        clock = execution.clock
        began = clock.uptime()
    }

    /// The routes with their handlers.
    var routes: [Route] {
        [
            Route(
                .get, "/api/predict/health", id: "predictHealth", "Whether predictions can be asked for.",
                access: .anyone,
                replies: [
                    .init(200, "They can; degraded: something needs a person's attention.", .init(Self.report)),
                    .init(503, "They cannot, or shall be asked of another server.", .init(Self.report)),
                ]
            ) { _, context in
                let report = report(try? catalog.slot(project: context.principal?.project))
                return try .json(report.json, status: report.canAnswer ? .ok : .serviceUnavailable)
            }
        ]
    }

    /// - Parameter slot: of the model that would be asked; `nil` when the server has none.
    private func report(_ slot: ModelSlot?) -> (canAnswer: Bool, json: JSONValue) {
        let served = slot?.served
        let log = (served?.journal?.log).map { log in
            let counters = log.counters
            return (mode: log.mode, isWritable: !counters.isFull && !counters.hasFailed)
        }
        // In the mode best-effort predictions are answered whether they could be logged or not.
        let canAnswer = served != nil && (log.map { $0.isWritable || $0.mode == .bestEffort } ?? true)
        let trouble =
            if let slot { HealthRoutes.trouble(slot) } else { "This server has no model for this request." }
        let drains = isDraining()
        let status = drains ? "draining" : !canAnswer ? "unavailable" : trouble != nil ? "degraded" : "healthy"
        let json = JSONValue.object([
            "status": .text(status), "project": slot.map { .text($0.key.project) } ?? .null,
            "model": slot.map { .text($0.key.model) } ?? .null,
            "version": served.map { .integer(Int64($0.version)) } ?? .null,
            "log": log.map { .object(["mode": .text($0.mode.rawValue), "writable": .flag($0.isWritable)]) } ?? .null,
            "trouble": trouble.map { .text($0) } ?? .null,
            "uptime_seconds": .integer(Int64(max(0, clock.uptime() - began))),
        ])
        return (canAnswer && !drains, json)
    }

    private static let report = Schema.object(
        .init("status", .text(oneOf: ["healthy", "degraded", "unavailable", "draining"])),
        .init("project", .text.orNull), .init("model", .text.orNull),
        .init("version", .integer(minimum: 1).orNull, "The version that answers; null when none does."),
        .init(
            "log",
            .object(
                .init("mode", .text(oneOf: PredictionLogMode.allCases.map(\.rawValue))), .init("writable", .boolean)
            ).orNull, "Of predictions; null when they are not logged."),
        .init("trouble", .text.orNull, "What somebody has to look at."),
        .init("uptime_seconds", .integer(minimum: 0), "Since the server was started."))
}
