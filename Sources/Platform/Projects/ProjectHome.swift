/// The folder in which a project keeps its state, `<project>/.martlet` by default: the only place that spells the paths
/// inside of it.
///
/// ```swift
/// let home = ProjectHome("/srv/hospital/.martlet")
/// home.artifacts  // "/srv/hospital/.martlet/artifacts"
/// ```
package struct ProjectHome: Sendable, Hashable, CustomStringConvertible {
    /// Absolute.
    package let folder: String

    package init(_ folder: String) { self.folder = folder }

    /// Where the state of a project is that was not given another place.
    package init(ofProject project: String) { folder = project + "/.martlet" }

    package var description: String { folder }

    /// The metadata, where they are kept in SQLite.
    package var database: String { folder + "/martlet.db" }
    /// Tables, as Delta.
    package var lake: String { folder + "/lake" }
    /// Files of models, under their digests.
    package var artifacts: String { folder + "/artifacts" }
    /// Segments of the prediction log.
    package var predictions: String { folder + "/predictions" }
    /// Raw rows that the server was given, for the next start.
    package var rawRows: String { folder + "/process" }
    /// Model cards.
    package var cards: String { folder + "/cards" }

    /// Held by whoever writes to the project.
    package var lock: String { folder + "/lock" }
    /// Held by compaction and vacuum.
    package var maintenanceLock: String { folder + "/maintenance.lock" }
    /// A lock for each run that is at work.
    package var running: String { folder + "/running" }
    /// A lock for each worker that is at work.
    package var workers: String { folder + "/workers" }
    /// The key that signs sessions.
    package var sessionKey: String { folder + "/session.key" }

    /// What an SQL engine does not hold in memory.
    package var spill: String { folder + "/spill" }
    /// Folders of processes for what they throw away, each beginning with the process's number.
    package var scratch: String { folder + "/scratch" }

    /// One line for each step of a run.
    package var trace: String { folder + "/logs/trace.jsonl" }
    /// What attempts at jobs print.
    package var jobLogs: String { folder + "/logs/jobs" }
    package var workerLog: String { folder + "/logs/worker.log" }
    package func featureLog(of model: String) -> String { "\(folder)/logs/features-\(model).log" }
}
