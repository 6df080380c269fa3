/// Paths within the folder of a project's state, `<project>/.martlet` by default.
///
/// ```swift
/// let home = ProjectHome("/srv/hospital/.martlet")
/// home.artifacts  // "/srv/hospital/.martlet/artifacts"
/// ```
package struct ProjectHome: Sendable, Hashable, CustomStringConvertible {
    /// Absolute path of the folder.
    package let folder: String

    package init(_ folder: String) { self.folder = folder }

    /// The default home of a project.
    package init(ofProject project: String) { folder = project + "/.martlet" }

    package var description: String { folder }

    /// SQLite file of the metadata.
    package var database: String { folder + "/martlet.db" }
    /// Folder of the Delta tables.
    package var lake: String { folder + "/lake" }
    /// Folder of model files and other artifacts, by digest.
    package var artifacts: String { folder + "/artifacts" }
    /// Folder of the prediction log's segments.
    package var predictions: String { folder + "/predictions" }
    /// Folder of the raw rows that the server received, for its next start.
    package var rawRows: String { folder + "/process" }
    /// Folder of model cards.
    package var cards: String { folder + "/cards" }

    /// Lock file of the process that writes to the project.
    package var lock: String { folder + "/lock" }
    /// Lock file of compaction and vacuum.
    package var maintenanceLock: String { folder + "/maintenance.lock" }
    /// Folder with a lock file for each run in progress.
    package var running: String { folder + "/running" }
    /// Folder with a lock file for each running worker.
    package var workers: String { folder + "/workers" }
    /// File of the key that signs sessions.
    package var sessionKey: String { folder + "/session.key" }

    /// Folder for data that an SQL engine cannot hold in memory.
    package var spill: String { folder + "/spill" }
    /// Folder for temporary folders of processes, each beginning with the process id.
    package var scratch: String { folder + "/scratch" }

    /// File with one JSON line for each step of a run.
    package var trace: String { folder + "/logs/trace.jsonl" }
    /// Folder with the output of attempts at jobs.
    package var jobLogs: String { folder + "/logs/jobs" }
    /// Log file of the server's worker.
    package var workerLog: String { folder + "/logs/worker.log" }
    /// Log file of a model's feature worker.
    package func featureLog(of model: String) -> String { "\(folder)/logs/features-\(model).log" }
}
