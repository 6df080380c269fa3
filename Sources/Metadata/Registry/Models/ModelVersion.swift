package import Core

/// Whether a version needs a person's approval before an alias may name it.
package enum ApprovalPolicy: String, Sendable, Encodable {
    case none, required
}

/// The approval of a version: policy, state and decision.
package struct Approval: Sendable, Equatable, Encodable {
    /// The state of an approval.
    package enum State: String, Sendable, Encodable {
        /// Needs none.
        case none
        case pending, approved, rejected
    }

    /// Whether the version needed approval, as the project file said at its registration.
    package let policy: ApprovalPolicy
    /// State of the decision; only with `none` or `approved` can an alias name the version.
    package let state: State
    /// When it was decided; `nil` while it is pending, and where none is needed.
    package let at: Timestamp?
    /// Who decided it, named as in ``VersionSummary/actor``; `nil` where nothing was decided.
    package let actor: String?
    /// Why it was decided so, required for a rejection; `nil` where no reason was given.
    package let reason: String?
}

/// A registered model version without its run's metrics.
package struct VersionSummary: Sendable, Equatable, Encodable {
    /// Name of the registered model.
    package let model: String
    /// Number of the version within the model, from 1, without gaps.
    package let version: Int
    /// Id of the run that trained it.
    package let run: String
    /// When the version was registered.
    package let created: Timestamp
    /// Who registered it: an account "ada", or "user:ada", "token:scoring" over HTTP.
    package let actor: String
    /// Whether its run trained on synthetic rows.
    package let synthetic: Bool
    /// SHA-256 of the canonical model file.
    package let modelHash: Digest
    /// Approval policy, state and decision at the time of reading.
    package let approval: Approval
    /// Aliases that name the version at the time of reading; empty for most versions.
    package let aliases: [ModelAlias]

    enum CodingKeys: String, CodingKey {
        case model, version, run, created, actor, synthetic
        case modelHash = "model_hash"
        case approval, aliases
    }
}

/// A registered model version with everything its run measured and its lineage.
///
/// As JSON: the keys of `VersionSummary`, then `params`, `metrics` (nested by part and name), `gates`,
/// `artifacts`, `lineage`, `seed`, `fingerprint` and `experiment`.
package struct ModelVersion: Sendable, Equatable, Encodable {
    /// Number, approval and aliases of the version.
    package let summary: VersionSummary
    /// The training run that it was registered from, with all its parts.
    package let run: Run

    enum CodingKeys: String, CodingKey {
        case params, metrics, gates, artifacts, lineage, seed, fingerprint, experiment
    }

    package func encode(to encoder: any Encoder) throws {
        try summary.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(run.params, forKey: .params)
        try container.encode(run.metrics, forKey: .metrics)
        try container.encode(run.gates, forKey: .gates)
        try container.encode(run.artifacts, forKey: .artifacts)
        try container.encode(run.lineage, forKey: .lineage)
        try container.encode(run.seed, forKey: .seed)
        try container.encode(run.fingerprint, forKey: .fingerprint)
        try container.encode(run.experiment, forKey: .experiment)
    }
}

/// A registered model as an entry of a list.
package struct ModelSummary: Sendable, Equatable, Encodable {
    /// Name of the registered model.
    package let model: String
    /// When its first version was registered.
    package let created: Timestamp
    /// Number of versions, which is also the newest version's number.
    package let versions: Int
    /// Number of the version in use; `nil` when there is none yet.
    package let champion: Int?
    /// Number of the version that waits for promotion; `nil` when none does.
    package let candidate: Int?
    /// Versions that wait for approval.
    package let pending: [Int]
    /// Whether any of its versions was trained on synthetic rows.
    package let synthetic: Bool
}

/// Result of registering a run.
package struct Registration: Sendable, Equatable, Encodable {
    /// The version that the run is registered as, now or by an earlier call.
    package let version: VersionSummary
    /// Whether this call created the version; `false` if the run was registered before.
    package let isNew: Bool

    enum CodingKeys: String, CodingKey {
        case version
        case isNew = "new"
    }
}

/// A change of a model's champion.
package struct ChampionMove: Sendable, Equatable, Encodable {
    /// Name of the registered model.
    package let model: String
    /// The champion before; `nil` if there was none.
    package let from: Int?
    /// The champion now.
    package let to: Int
    /// Whether the champion changed; `false` if the version already was.
    package let moved: Bool
}
