package import Core

/// One training run: configuration, status, metrics, gates, artifacts and lineage.
///
/// ```swift
/// try registry.runs.record(run, finishing: completion)
/// ```
package struct Run: Sendable, Equatable, Encodable {
    /// The status of a run.
    package enum Status: String, Sendable, Encodable {
        case running
        /// Trained, and every gate passed.
        case finished
        case failed
        /// Trained, but a gate did not pass.
        case rejected
    }

    /// The `error` of a run whose process ended before an outcome.
    package static let interruption = "interrupted"

    /// 32 hexadecimal digits, from `ExecutionContext.newID`.
    package let id: String
    /// Name of the experiment that groups runs; training uses the project's name.
    package let experiment: String
    /// Name of the model trained, as in the project file.
    package let model: String
    /// Whether it is in progress, or how it ended; a killed run stays `running` until it is abandoned.
    package var status: Status
    /// When training began.
    package let started: Timestamp
    /// When its outcome was known, or that of a killed run was recorded; `nil` while it runs.
    package var ended: Timestamp?
    /// Who trained: an account "ada", or whoever submitted the job, "user:ada".
    package let actor: String
    /// Seed of the split into training, validation and test rows.
    package let seed: Int
    /// Digest of everything that determines the outcome: configuration, table hashes, library versions.
    package let fingerprint: Digest
    /// Whether it was trained on synthetic rows.
    package let synthetic: Bool
    /// Why the run failed, in a sentence.
    package var error: String?
    /// SHA-256 of the canonical model file.
    package var modelHash: Digest?
    /// Parameters by name.
    package var params: [String: String]
    /// Everything measured, on whole parts and on folds; empty until the model is fitted.
    package var metrics: Metrics
    /// Outcomes in the order of the project file, one for each bound; empty until the model is fitted.
    package var gates: [GateResult]
    /// Files that the run stored; as read back, by name. Empty until the model is fitted.
    package var artifacts: [Artifact]
    /// Files and table versions it was trained on; empty until the model is fitted.
    package var lineage: Lineage
    /// The model version registered from it; filled by the registry, ignored when a run is recorded.
    package internal(set) var version: Int?

    package init(
        id: String,
        experiment: String,
        model: String,
        status: Status,
        started: Timestamp,
        ended: Timestamp? = nil,
        actor: String,
        seed: Int,
        fingerprint: Digest,
        synthetic: Bool,
        error: String? = nil,
        modelHash: Digest? = nil,
        params: [String: String] = [:],
        metrics: Metrics = [],
        gates: [GateResult] = [],
        artifacts: [Artifact] = [],
        lineage: Lineage = Lineage()
    ) {
        self.id = id
        self.experiment = experiment
        self.model = model
        self.status = status
        self.started = started
        self.ended = ended
        self.actor = actor
        self.seed = seed
        self.fingerprint = fingerprint
        self.synthetic = synthetic
        self.error = error
        self.modelHash = modelHash
        self.params = params
        self.metrics = metrics
        self.gates = gates
        self.artifacts = artifacts
        self.lineage = lineage
    }

    enum CodingKeys: String, CodingKey {
        case id, experiment, model, status, started, ended, actor, seed, fingerprint, synthetic, error
        case modelHash = "model_hash"
        case params, metrics, gates, artifacts, lineage, version
    }
}

/// A file that a run produced, stored under its digest.
package struct Artifact: Sendable, Equatable, Encodable {
    /// File name, unique within the run: "model.txt", "model.json", "scores.parquet".
    package let name: String
    /// SHA-256 of the content, under which the artifact store has it.
    package let digest: Digest
    /// Size in bytes.
    package let bytes: Int
    /// Media type: "text/plain", "application/json", …
    package let mediaType: String

    package init(name: String, digest: Digest, bytes: Int, mediaType: String) {
        self.name = name
        self.digest = digest
        self.bytes = bytes
        self.mediaType = mediaType
    }

    enum CodingKeys: String, CodingKey {
        case name, digest, bytes
        case mediaType = "media_type"
    }
}

/// A run as an entry of a list, with the metrics of whole parts.
package struct RunSummary: Sendable, Equatable, Encodable {
    /// 32 hexadecimal digits.
    package let id: String
    /// Name of the experiment that groups runs; training uses the project's name.
    package let experiment: String
    /// Name of the model trained.
    package let model: String
    /// Status at the time of reading; a run whose process is gone reads as failed.
    package let status: Run.Status
    /// When training began.
    package let started: Timestamp
    /// When the outcome was known; `nil` for a run without a recorded outcome.
    package let ended: Timestamp?
    /// Who trained: an account "ada", or whoever submitted the job, "user:ada".
    package let actor: String
    /// Seed of the split into training, validation and test rows.
    package let seed: Int
    /// Whether it was trained on synthetic rows.
    package let synthetic: Bool
    /// Why the run failed; "interrupted" where its process was killed, `nil` for one that did not fail.
    package let error: String?
    /// Number of the model version registered from it; `nil` when there is none.
    package let version: Int?
    /// Metrics of whole parts, by part and name; those of folds are left out.
    package let metrics: Metrics

    init(_ run: Run, version: Int?, metrics: [Metric]) {
        id = run.id
        experiment = run.experiment
        model = run.model
        status = run.status
        started = run.started
        ended = run.ended
        actor = run.actor
        seed = run.seed
        synthetic = run.synthetic
        error = run.error
        self.version = version
        self.metrics = Metrics(metrics)
    }
}
