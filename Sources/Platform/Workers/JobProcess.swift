package import Registry

/// A process at work on one attempt of a job, as its supervisor sees it.
package protocol JobProcess: AnyObject {
    /// The operating system's number, also that of its process group.
    var id: Int32 { get }
    /// A file that becomes readable when there are signs of life or the process ends; -1 when there is none.
    var descriptor: Int32 { get }
    /// The signs of life since the last call, each with the progress told in it.
    func signs() -> [JobProgress?]
    /// Bytes in use now that the system cannot take back; `nil` when they cannot be told.
    func memory() -> Int64?
    /// How it ended; `nil` while it lives. Nothing of its group is left when this gives an end.
    func exit() -> ProcessExit?
    /// Ends the process and its group at once.
    func kill()
}

/// How a process ended, and what it cost.
package struct ProcessExit: Sendable, Equatable {
    package enum Manner: Sendable, Equatable {
        case code(Int32)
        case signal(Int32)
    }

    package var manner: Manner
    /// Bytes.
    package var peakMemory: Int64?
    package var cpuSeconds: Double?

    package init(_ manner: Manner, peakMemory: Int64? = nil, cpuSeconds: Double? = nil) {
        self.manner = manner
        self.peakMemory = peakMemory
        self.cpuSeconds = cpuSeconds
    }
}

/// Starts processes for jobs.
package protocol JobLauncher {
    func launch(_ job: JobRecord) throws -> any JobProcess
}
