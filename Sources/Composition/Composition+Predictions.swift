package import PredictionLog
package import Vocabulary
package import Workflow

extension Composition {
    /// Where the project keeps the segments of its prediction log.
    package var predictions: SegmentFolder { SegmentFolder(home + "/predictions") }

    /// Moves closed segments of the prediction log into the lake.
    package func compactPredictions(
        keeping: Bool, retention: PredictionLogPolicy? = nil
    ) throws -> PredictionCompaction.Report {
        try withMaintenance(alone: false) { lake in
            let scratch = "\(home)/scratch/\(Disk.processID)-\(surroundings.newID())"
            try Disk.makeDirectory(scratch)
            defer { Disk.removeTree(scratch) }
            return try PredictionCompaction(lake: lake, folder: predictions, scratch: scratch)
                .run(keeping: keeping, retention: retention)
        }
    }
}
