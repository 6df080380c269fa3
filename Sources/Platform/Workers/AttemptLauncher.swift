internal import Core
package import Registry
internal import Storage

/// The `JobLauncher` that starts this program as a child process for each attempt.
///
/// ```swift
/// let launcher = AttemptLauncher(
///     program: SystemPlatform.executable, logs: jobLogs, environment: { _ in environment },
///     arguments: { ["worker", "--attempt", $0.id] })
/// ```
package struct AttemptLauncher: JobLauncher {
    private let program: String
    private let arguments: @Sendable (JobRecord) -> [String]
    private let environment: @Sendable (JobRecord) -> [(String, String)]
    private let folder: String

    /// Configures a launcher: `folder` takes the log files; `environment` is the child's whole environment.
    package init(
        program: String, logs folder: String, environment: @escaping @Sendable (JobRecord) -> [(String, String)],
        arguments: @escaping @Sendable (JobRecord) -> [String]
    ) {
        self.program = program
        self.environment = environment
        self.folder = folder
        self.arguments = arguments
    }

    /// Starts a child process for an attempt at a job.
    package func launch(_ job: JobRecord) throws -> any JobProcess {
        try Disk.makeDirectory(folder)
        return try SpawnedProcess(
            program, arguments(job), environment: environment(job),
            log: Self.log(of: job.id, attempt: job.token, in: folder))
    }

    /// Returns the path of an attempt's log file.
    package static func log(of job: String, attempt: Int, in folder: String) -> String {
        "\(folder)/\(job)-\(attempt).log"
    }

    /// Returns the path of the file that takes a result too large for the database.
    package static func output(of job: String, attempt: Int, in folder: String) -> String {
        "\(folder)/\(job)-\(attempt).out"
    }
}
