package import PredictionLog

/// What a job works on: a project, opened as the job needs it. The product's is `Composition`.
package protocol JobEnvironment {
    /// The same project with a job's own wishes in place of the configured ones.
    func configured(splitSeed: Int?, threads: JobThreads) -> Self
    /// A workspace that may write; one at a time in a project.
    func withWorkspace<T>(_ body: (Workspace) throws -> T) throws -> T
    /// A workspace for looking: takes no lock and changes nothing that others see.
    func withReadingWorkspace<T>(_ body: (Workspace) throws -> T) throws -> T
    /// Moves closed segments of the prediction log into the lake; see ``PredictionCompaction``.
    func compactPredictions(
        keepSegments: Bool, retention: PredictionLogPolicy?
    ) throws -> PredictionCompaction.Report
}
