package import Core

/// The completion of a step, recorded alone or together with a run.
package struct StepCompletion: Sendable, Equatable {
    package let step: String
    package let fingerprint: Digest
    /// JSON text of the result, returned to a later run that skips the step.
    package let result: String

    package init(step: String, fingerprint: Digest, result: String) {
        self.step = step
        self.fingerprint = fingerprint
        self.result = result
    }
}
