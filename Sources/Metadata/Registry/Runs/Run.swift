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
    package let experiment: String
    package let model: String
    package var status: Status
    package let started: Timestamp
    package var ended: Timestamp?
    package let actor: String
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
    package var metrics: Metrics
    package var gates: [GateResult]
    package var artifacts: [Artifact]
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
    package let name: String
    package let digest: Digest
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
    package let id: String
    package let experiment: String
    package let model: String
    package let status: Run.Status
    package let started: Timestamp
    package let ended: Timestamp?
    package let actor: String
    package let seed: Int
    package let synthetic: Bool
    package let error: String?
    package let version: Int?
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
