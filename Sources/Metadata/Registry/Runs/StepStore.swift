package import Core

/// Which steps are done, so that a run after a kill or without a change skips them.
package struct StepStore: Sendable {
    let metadata: MetadataStore

    /// The result of `step`, if its last execution finished and had the same fingerprint.
    package func finishedResult(of step: String, fingerprint: Digest) throws -> String? {
        guard let known = try metadata.read({ try StepTable($0).find(step) }) else { return nil }
        return known.status == .finished && known.fingerprint == fingerprint ? known.result : nil
    }

    /// Notes that `step` is at work. What it had finished before is forgotten.
    package func begin(_ step: String, fingerprint: Digest) throws {
        let now = metadata.context.now()
        try metadata.write { try StepTable($0).begin(step, fingerprint, at: now) }
    }

    package func finish(_ completion: StepCompletion) throws {
        let now = metadata.context.now()
        try metadata.write { try StepTable($0).finish(completion, at: now) }
    }

    /// Forgets `steps`, so that they are done again.
    package func forget(_ steps: [String]) throws {
        try metadata.write { try StepTable($0).delete(steps) }
    }

    /// Every step known, by name.
    package func all() throws -> [Step] { try metadata.read { try StepTable($0).all() } }
}
