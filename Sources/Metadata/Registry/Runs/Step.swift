package import Core

/// The last execution of a step of the path, with the fingerprint of its inputs.
package struct Step: Sendable, Equatable, Encodable {
    /// Whether the step is running or finished.
    package enum Status: String, Sendable, Encodable {
        case running, finished
    }

    /// Name of the step.
    package let step: String
    /// Digest of everything that the step's result depends on; another one means that it must run again.
    package let fingerprint: Digest
    /// Whether the last execution finished; one that was killed stays `running`.
    package let status: Status
    /// When the last execution began.
    package let started: Timestamp
    /// When it finished; `nil` while it is running.
    package let ended: Timestamp?
    /// JSON text of the step's result; set when it is finished.
    package let result: String?
}

/// The completion of a step, recorded alone or together with a run.
package struct StepCompletion: Sendable, Equatable {
    /// Name of the step: "train:readmission".
    package let step: String
    /// Digest of everything that the result depends on; a later run with the same one skips the step.
    package let fingerprint: Digest
    /// JSON text of the result, returned to a later run that skips the step.
    package let result: String

    package init(step: String, fingerprint: Digest, result: String) {
        self.step = step
        self.fingerprint = fingerprint
        self.result = result
    }
}
