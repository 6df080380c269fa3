internal import Core
package import Registry
internal import Storage

/// Starts this program anew for each attempt.
package struct AttemptLauncher: JobLauncher {
    private let program: String
    private let arguments: @Sendable (JobRecord) -> [String]
    private let environment: @Sendable (JobRecord) -> [(String, String)]
    private let folder: String

    /// `folder` takes the logs; `environment` is all that a child gets.
    package init(
        program: String, logs folder: String, environment: @escaping @Sendable (JobRecord) -> [(String, String)],
        arguments: @escaping @Sendable (JobRecord) -> [String]
    ) {
        self.program = program
        self.environment = environment
        self.folder = folder
        self.arguments = arguments
    }

    package func launch(_ job: JobRecord) throws -> any JobProcess {
        try Disk.makeDirectory(folder)
        return try SpawnedProcess(
            program, arguments(job), environment: environment(job),
            log: Self.log(of: job.id, attempt: job.token, in: folder))
    }

    /// The file with what an attempt said.
    package static func log(of job: String, attempt: Int, in folder: String) -> String {
        "\(folder)/\(job)-\(attempt).log"
    }

    /// The file with the result of an attempt that is too large for the database.
    package static func output(of job: String, attempt: Int, in folder: String) -> String {
        "\(folder)/\(job)-\(attempt).out"
    }
}
