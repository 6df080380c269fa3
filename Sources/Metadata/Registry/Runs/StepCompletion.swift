package import Core

/// The completion of a step, recorded alone or together with a run.
package struct StepCompletion: Sendable, Equatable {
    /// Name of the step in its project, such as "train:readmission"; a later completion takes the place of this one.
    package let step: String
    /// Digest of everything that determines the result; a later run skips the step while it is the same.
    package let fingerprint: Digest
    /// JSON text of the result, returned to a later run that skips the step.
    package let result: String

    package init(step: String, fingerprint: Digest, result: String) {
        self.step = step
        self.fingerprint = fingerprint
        self.result = result
    }
}
