package import Core

/// Records which steps of the path are completed, so that a later run skips them.
///
/// ```swift
/// if let result = try registry.steps.finishedResult(of: step, fingerprint: fingerprint) { return result }
/// try registry.steps.begin(step, fingerprint: fingerprint)
/// ```
package struct StepStore: Sendable {
    let metadata: MetadataStore

    /// Returns the result of a step whose last execution finished with the same fingerprint; `nil` otherwise.
    package func finishedResult(of step: String, fingerprint: Digest) throws -> String? {
        guard let known = try metadata.read({ try StepTable($0).find(step) }) else { return nil }
        return known.status == .finished && known.fingerprint == fingerprint ? known.result : nil
    }

    /// Marks a step as running and forgets its earlier result.
    package func begin(_ step: String, fingerprint: Digest) throws {
        let now = metadata.context.now()
        try metadata.write { try StepTable($0).begin(step, fingerprint, at: now) }
    }

    /// Records the completion of a step.
    package func finish(_ completion: StepCompletion) throws {
        let now = metadata.context.now()
        try metadata.write { try StepTable($0).finish(completion, at: now) }
    }

    /// Removes the records of steps, so that they are executed again.
    package func forget(_ steps: [String]) throws {
        try metadata.write { try StepTable($0).delete(steps) }
    }

    /// Returns all recorded steps, by name.
    package func all() throws -> [Step] { try metadata.read { try StepTable($0).all() } }
}
