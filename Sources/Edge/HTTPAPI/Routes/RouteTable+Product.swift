package import Core
package import PredictionLog
package import Serving

extension RouteTable {
    /// What the product's routes answer with: models, stores, and what works beside the server.
    package struct Services: Sendable {
        /// Version of the program, such as "0.1.0".
        package let version: String
        /// The served models, each with the version that answers now.
        package let catalog: ModelCatalog
        /// Projects, identities and what else the routes for models, training and deployment work with.
        package let management: Management
        /// Counters of the whole server, which `GET /metrics` shows.
        package let metrics: ServerMetrics
        /// Scores what is not answered on an event loop.
        package let work: ScoringWork
        /// Memory budget that large request and response bodies share.
        package let room: MemoryBudget
        /// Limits and resources of the routes for batch prediction.
        package let batches: BatchSettings
        /// Makes features of raw rows.
        package let features: any FeatureSource
        /// Source of time, new identifiers and random bytes.
        package let execution: ExecutionContext
        /// Whether the server is shutting down, so that it reports not ready.
        package var isDraining: @Sendable () -> Bool = { false }
        /// Whether anyone may read the metrics, without a token.
        package var metricsOpen = false
        /// Whether anyone may read the models' columns, without a token.
        package var openAPIOpen = false
        /// The prediction logs by project.
        package var logs: [(project: String, counters: @Sendable () -> PredictionLogCounters)] = []
        /// What this process costs; blocks for a moment.
        package var process: @Sendable () -> ProcessFigures = { ProcessFigures() }

        package init(
            version: String, catalog: ModelCatalog, management: Management, metrics: ServerMetrics, work: ScoringWork,
            room: MemoryBudget, batches: BatchSettings, features: any FeatureSource, context execution: ExecutionContext
        ) {
            self.version = version
            self.catalog = catalog
            self.management = management
            self.metrics = metrics
            self.work = work
            self.room = room
            self.batches = batches
            self.features = features
            self.execution = execution
        }
    }

    /// The routes of `martlet serve`: the server and the tests have theirs from here, so that a new area is in both.
    ///
    /// ```swift
    /// var services = RouteTable.Services(version: "0.1.0", catalog: catalog, …)
    /// services.metricsOpen = true
    /// let server = FrontServer(settings, catalog: catalog, routes: .product(services), …)
    /// ```
    package static func product(_ services: Services) -> RouteTable {
        let (version, catalog, execution) = (services.version, services.catalog, services.execution)
        let (management, isDraining) = (services.management, services.isDraining)
        let identity = management.identity
        let predictions = PredictionRoutes(
            catalog: catalog, work: services.work, room: services.room, context: execution)
        return RouteTable(
            documenting: version, families: [.openInference, .mlflow],
            components: { [isOpen = services.openAPIOpen] isKnown in
                ServedSchemas.components(isKnown || isOpen ? catalog : nil)
            },
            SessionRoutes(identity).routes, SetupPage.routes, ModelRoutes(management).routes,
            DeploymentRoutes(management, catalog: catalog).routes,
            TrainingRoutes(management).routes, MonitoringRoutes(management).routes,
            AuditRoutes(management).routes,
            MetricsRoutes(
                catalog: catalog, metrics: services.metrics, version: version, isOpen: services.metricsOpen,
                logs: services.logs, process: services.process
            ).routes,
            HealthRoutes(catalog: catalog, isDraining: isDraining).routes, predictions.routes,
            PredictionHealth(catalog: catalog, isDraining: isDraining, context: execution).routes,
            ProcessRoutes(
                catalog: catalog, source: services.features, work: services.work, room: services.room,
                context: execution, note: management.note
            ).routes,
            BatchRoutes(catalog: catalog, settings: services.batches, context: execution).routes,
            MLflowRoutes(catalog: catalog, predictions: predictions, version: version).routes,
            TensorRoutes(
                catalog: catalog, predictions: predictions, version: version, isDraining: isDraining
            ).routes)
    }
}
