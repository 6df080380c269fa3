/// How many threads a job may use; `nil` for what is configured. Results do not depend on it.
package struct JobThreads: Codable, Sendable, Equatable {
    /// Threads of the SQL engine, 1 to 1024; `nil`: as configured.
    package var engine: Int?
    /// Threads of the learner, also for scoring, 1 to 1024; `nil`: as configured.
    package var training: Int?

    package init(engine: Int? = nil, training: Int? = nil) {
        self.engine = engine
        self.training = training
    }

    /// - Throws: `job.arguments`.
    package func validate() throws {
        for value in [engine, training].compactMap(\.self) where !(1...1024).contains(value) {
            throw Job.refusal("Threads must be from 1 to 1024; \(value) is not.")
        }
    }

    var arguments: [String] {
        (engine.map { ["--engine-threads", "\($0)"] } ?? [])
            + (training.map { ["--training-threads", "\($0)"] } ?? [])
    }
}
