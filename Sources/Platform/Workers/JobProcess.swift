package import Registry

/// A process that executes one attempt of a job, as its supervisor controls it.
package protocol JobProcess: AnyObject {
    /// Process id, also the id of its process group.
    var id: Int32 { get }
    /// File descriptor that becomes readable on heartbeats and at the end of the process; -1 when there is none.
    var descriptor: Int32 { get }
    /// Returns the heartbeats since the last call, each with its progress.
    func heartbeats() -> [JobProgress?]
    /// Returns the memory in use in bytes that the system cannot reclaim; `nil` when unknown.
    func memory() -> Int64?
    /// Returns how the process ended; `nil` while it runs. Nothing of its group is left when this returns an end.
    func exit() -> ProcessExit?
    /// Kills the process and its group.
    func kill()
}

/// How a process ended, with its memory and CPU use.
package struct ProcessExit: Sendable, Equatable {
    /// Exit code or signal.
    package enum Manner: Sendable, Equatable {
        case code(Int32)
        case signal(Int32)
    }

    /// Exit code or signal number with which the process ended.
    package var manner: Manner
    /// Peak memory in bytes.
    package var peakMemory: Int64?
    /// User and system CPU time in seconds; `nil` when it was not measured.
    package var cpuSeconds: Double?

    package init(_ manner: Manner, peakMemory: Int64? = nil, cpuSeconds: Double? = nil) {
        self.manner = manner
        self.peakMemory = peakMemory
        self.cpuSeconds = cpuSeconds
    }
}

/// Starts processes for attempts at jobs.
package protocol JobLauncher {
    /// Starts a process for the job's attempt.
    func launch(_ job: JobRecord) throws -> any JobProcess
}
