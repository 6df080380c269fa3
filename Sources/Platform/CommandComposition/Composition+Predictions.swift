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
        keepSegments: Bool, retention: PredictionLogPolicy? = nil
    ) throws -> PredictionCompaction.Report {
        SystemPlatform.returnLargeMemory()
        return try Self.withLittleMemory { memory in
            try withMaintenance(alone: false, memory: memory) { lake in
                try PredictionCompaction(lake: lake, folder: predictions).run(
                    keepSegments: keepSegments, retention: retention)
            }
        }
    }

    /// Does work with as little memory of the SQL engine as it can be done with: again with more where that was not
    /// enough, and at last with what the settings say (`nil`).
    package static func withLittleMemory<T>(_ work: (_ memory: String?) throws -> T) throws -> T {
        for memory in ["64MB", "192MB"] {
            do { return try work(memory) } catch let error as MartletError where error.code == "engine.memory" {}
        }
        return try work(nil)
    }
}
