package import Core

/// Whether a version needs a person's approval before an alias may name it.
package enum ApprovalPolicy: String, Sendable, Encodable {
    case none, required
}

/// Where the approval of a version stands.
package struct Approval: Sendable, Equatable, Encodable {
    package enum State: String, Sendable, Encodable {
        /// Needs none.
        case none
        case pending, approved, rejected
    }

    package let policy: ApprovalPolicy
    package let state: State
    /// When it was decided, by whom and why; `nil` while nothing is.
    package let at: Timestamp?
    package let actor: String?
    package let reason: String?
}

/// A registered version, without what its run measured.
package struct VersionSummary: Sendable, Equatable, Encodable {
    package let model: String
    package let version: Int
    /// The run it came from.
    package let run: String
    package let created: Timestamp
    package let actor: String
    package let synthetic: Bool
    /// Digest of the canonical model.
    package let modelHash: Digest
    package let approval: Approval
    package let aliases: [ModelAlias]

    enum CodingKeys: String, CodingKey {
        case model, version, run, created, actor, synthetic
        case modelHash = "model_hash"
        case approval, aliases
    }
}

/// A registered version with everything its run measured, and what it stands on.
///
/// As JSON: the keys of `VersionSummary`, then `params`, `metrics` (nested by part and name), `gates`,
/// `artifacts`, `lineage`, `seed`, `fingerprint` and `experiment`.
package struct ModelVersion: Sendable, Equatable, Encodable {
    package let summary: VersionSummary
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

/// A registered model in a list.
package struct ModelSummary: Sendable, Equatable, Encodable {
    package let model: String
    package let created: Timestamp
    /// The number of its versions, which is also the newest one.
    package let versions: Int
    package let champion: Int?
    package let candidate: Int?
    /// Versions that wait for a decision.
    package let pending: [Int]
    /// Whether a version of it learned from made-up rows.
    package let synthetic: Bool
}

/// What registering a run gave.
package struct Registration: Sendable, Equatable, Encodable {
    package let version: VersionSummary
    /// Whether this call registered it; `false` if the run was registered before.
    package let isNew: Bool

    enum CodingKeys: String, CodingKey {
        case version
        case isNew = "new"
    }
}

/// A move of the champion.
package struct ChampionMove: Sendable, Equatable, Encodable {
    package let model: String
    /// `nil` if there was no champion.
    package let from: Int?
    package let to: Int
    /// `false` if the version was the champion already.
    package let moved: Bool
}
