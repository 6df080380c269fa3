package import Core

/// The last execution of a step of the path. `fingerprint` is of everything the step depends on.
package struct Step: Sendable, Equatable, Encodable {
    package enum Status: String, Sendable, Encodable {
        case running, finished
    }

    package let step: String
    package let fingerprint: Digest
    package let status: Status
    package let started: Timestamp
    package let ended: Timestamp?
    /// JSON text of what the step gave; there when it is finished.
    package let result: String?
}

/// That a step is done: recorded alone or together with a run.
package struct StepCompletion: Sendable, Equatable {
    package let step: String
    package let fingerprint: Digest
    /// JSON text, handed back to a later run that skips the step.
    package let result: String

    package init(step: String, fingerprint: Digest, result: String) {
        self.step = step
        self.fingerprint = fingerprint
        self.result = result
    }
}
