internal import Composition
internal import Core
package import PredictionLog
internal import Projects
package import Workflow

extension Composition {
    /// The folder of the project's prediction log.
    package var predictions: SegmentFolder { SegmentFolder(home.predictions) }

    /// Moves closed segments of the prediction log into the lake.
    ///
    /// It runs beside a server, so the SQL engine gets little memory; models with very many columns need more.
    package func compactPredictions(
        keeping: Bool, retention: PredictionLogPolicy?
    ) throws -> PredictionCompaction.Report {
        SystemPlatform.returnLargeMemory()
        for memory in ["64MB", "192MB"] {
            do { return try compactPredictions(keeping, retention, memory: memory) } catch let error as MartletError
                where error.code == "engine.memory"
            {}
        }
        return try compactPredictions(keeping, retention, memory: nil)
    }

    private func compactPredictions(
        _ keeping: Bool, _ retention: PredictionLogPolicy?, memory: String?
    ) throws -> PredictionCompaction.Report {
        try withMaintenance(alone: false, memory: memory) { lake in
            try PredictionCompaction(lake: lake, folder: predictions).run(keeping: keeping, retention: retention)
        }
    }
}
