package import Core

/// Records which steps of the path are completed, so that a later run skips them.
///
/// ```swift
/// if let result = try registry.steps.finishedResult(of: step, fingerprint: fingerprint) { return result }
/// try registry.steps.finish(StepCompletion(step: step, fingerprint: fingerprint, result: result))
/// ```
package struct StepStore: Sendable {
    let metadata: MetadataStore

    /// Returns the result of a step whose last execution finished with the same fingerprint; `nil` otherwise.
    package func finishedResult(of step: String, fingerprint: Digest) throws -> String? {
        try metadata.read { try StepTable($0).finishedResult(of: step, fingerprint) }
    }

    /// Records the completion of a step.
    package func finish(_ completion: StepCompletion) throws {
        let now = metadata.context.now()
        try metadata.write { try StepTable($0).finish(completion, at: now) }
    }
}
