/// Builds the silver and gold tables anew where something changed.
package struct TransformJob: JobDefinition {
    package static let kind = "transform"

    /// Threads of SQL engine and learner; `nil`, which a stored job may have: as configured.
    package var threads: JobThreads?

    package init(threads: JobThreads = JobThreads()) { self.threads = threads }

    private enum CodingKeys: String, CodingKey, CaseIterable { case threads }

    /// Names of the members of the job's JSON object.
    package static var members: [String] { CodingKeys.allCases.map(\.rawValue) }
    package var job: Job { .transform(self) }
    package var arguments: [String] { threads?.arguments ?? [] }

    package func validate() throws { try threads?.validate() }

    package func perform(in environment: some JobEnvironment, observer: JobObserver) throws -> RunResult {
        try RunJob(from: .transform, to: .transform, threads: threads ?? JobThreads())
            .perform(in: environment, observer: observer)
    }
}
