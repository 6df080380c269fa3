package import Core
internal import Registry

/// Rebuilds a version from its bronze data and compares every table and the model.
package struct VerifyJob: JobDefinition {
    package static let kind = "verify"
    package static let isExclusive = false

    /// NAME@NUMBER or NAME@ALIAS; without either, the champion.
    package var model: String
    /// Threads of SQL engine and learner; `nil`, which a stored job may have: as configured.
    package var threads: JobThreads?

    package init(model: String, threads: JobThreads = JobThreads()) {
        self.model = model
        self.threads = threads
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case model, threads }

    /// Names of the members of the job's JSON object.
    package static var members: [String] { CodingKeys.allCases.map(\.rawValue) }
    package var job: Job { .verify(self) }
    package var arguments: [String] { [model] + (threads?.arguments ?? []) }

    package func validate() throws { try threads?.validate() }

    package func perform(in environment: some JobEnvironment, observer: JobObserver) throws -> VerifyReport {
        try environment.configured(splitSeed: nil, threads: threads ?? JobThreads()).withReadingWorkspace { workspace in
            try workspace.verify(try ModelReference(parsing: model).orChampion) {
                try observer.began(JobProgress(step: "rebuild:\($0)"))
            }
        }
    }
}

extension VerifyReport: JobResult {
    /// Why the job, though it was done, counts as failed; `nil` otherwise.
    package var refusal: MartletError? {
        guard let first = firstDifference else { return nil }
        let problem = checks.first { !$0.equal }?.problem.map { " (\($0))" } ?? ""
        return MartletError(
            .refused, "verify.differs", "\(model)@\(version) cannot be rebuilt: \(first) differs\(problem).",
            remedy: first == "model"
                ? "The tables are equal; compare library versions with `martlet doctor`."
                : "Its data are not what they were when the version was trained; restore them from a backup.")
    }
}
