/// Trains on the tables as they are, and registers what passes its gates.
package struct TrainJob: JobDefinition {
    package static let kind = "train"

    /// Seed of the split for every model, in place of those in martlet.yaml; `nil` keeps these.
    package var splitSeed: Int?
    /// Threads of SQL engine and learner; `nil`, which a stored job may have: as configured.
    package var threads: JobThreads?

    package init(splitSeed: Int? = nil, threads: JobThreads = JobThreads()) {
        self.splitSeed = splitSeed
        self.threads = threads
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case threads
        case splitSeed = "split_seed"
    }

    /// Names of the members of the job's JSON object.
    package static var members: [String] { CodingKeys.allCases.map(\.rawValue) }
    package var job: Job { .train(self) }

    package var arguments: [String] {
        (splitSeed.map { ["--split-seed", "\($0)"] } ?? []) + (threads?.arguments ?? [])
    }

    package func validate() throws { try threads?.validate() }

    package func perform(in environment: some JobEnvironment, observer: JobObserver) throws -> RunResult {
        try RunJob(from: .train, to: .register, splitSeed: splitSeed, threads: threads ?? JobThreads())
            .perform(in: environment, observer: observer)
    }
}
