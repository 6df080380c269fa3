internal import Core

/// The registered models of a project: registration, approval, promotion, rollback.
///
/// ```swift
/// let registration = try registry.models.register(run: run.id, approval: policy)
/// let move = try registry.models.promote(ModelReference(parsing: "readmission@3"), reason: "better calibrated")
/// ```
///
/// Without approval the first version that passes its gates becomes champion and each later one candidate, until
/// it is promoted. With approval a version is pending and has no alias until a person approves it. Every call is
/// one transaction, and what it did stands in the history with the actor and the time of the context.
package struct ModelStore: Sendable {
    let metadata: MetadataStore

    /// Registers a run's model as the next version; registering it again returns the same version.
    ///
    /// Throws for a run whose gates did not pass (`registry.gates-failed`) and one without a trained model.
    @discardableResult
    package func register(run id: String, approval policy: ApprovalPolicy) throws -> Registration {
        try move { transition in
            let run = try transition.transaction.findRun(id)
            if let known = try VersionTable(transition.transaction).find(run: run.id) {
                return Registration(version: known, isNew: false)
            }
            let hash = try registrable(run, transition.transaction)
            let transition = try transition.after(run.model)
            try ModelTable(transition.transaction).insert(run.model, at: transition.now)
            let number = try VersionTable(transition.transaction).insert(
                run, hash: hash, policy: policy, by: transition.actor, at: transition.now)
            try ApprovalTable(transition.transaction).insert(run.model, number, policy == .required ? .pending : .none)
            try transition.append(.registered, run.model, .registration, number)
            if policy == .none { try transition.offer(run.model, number, .registration) }
            return Registration(version: try transition.version(run.model, number), isNew: true)
        }
    }

    /// Approves a pending version: it becomes champion if there is none, else candidate.
    ///
    /// Refuses a version that is decided already, or needs no approval.
    @discardableResult
    package func approve(_ reference: ModelReference, reason: String? = nil) throws -> VersionSummary {
        try move(reference) { transition, version in
            try undecided(version)
            try ApprovalTable(transition.transaction).decide(
                version, .approved, by: transition.actor, at: transition.now, reason: reason)
            try transition.append(.approved, version.model, .approval, version.version, reason: reason)
            try transition.offer(version.model, version.version, .approval)
            return try transition.version(version.model, version.version)
        }
    }

    /// Rejects a pending version with a reason; it can never be promoted.
    @discardableResult
    package func reject(_ reference: ModelReference, reason: String) throws -> VersionSummary {
        guard !reason.allSatisfy(\.isWhitespace) else {
            throw MartletError(
                .usage, "registry.reason-needed", "A rejection needs a reason; it stays in the history.",
                remedy: "Say why with --reason.")
        }
        return try move(reference) { transition, version in
            try undecided(version)
            try ApprovalTable(transition.transaction).decide(
                version, .rejected, by: transition.actor, at: transition.now, reason: reason)
            try transition.append(.rejected, version.model, .rejection, version.version, reason: reason)
            return try transition.version(version.model, version.version)
        }
    }

    /// Makes a version champion; no effect if it already is.
    ///
    /// Throws for a pending version and a rejected one (exit code 2).
    @discardableResult
    package func promote(_ reference: ModelReference, reason: String? = nil) throws -> ChampionMove {
        try move(reference) { transition, version in
            try checkPromotable(version)
            let from = try AliasTable(transition.transaction).version(version.model, .champion)
            try transition.set(version.model, .champion, version.version, .promotion, reason)
            return ChampionMove(
                model: version.model, from: from, to: version.version, moved: from != version.version)
        }
    }

    /// Makes the previous champion champion again; repeated calls go further back.
    ///
    /// Throws when there is none (exit code 2).
    /// - Parameter expected: the version that must be the previous champion, if the caller has looked before.
    @discardableResult
    package func rollback(_ model: String, to expected: Int? = nil, reason: String? = nil) throws -> ChampionMove {
        try move { transition in
            try transition.transaction.requireModel(model)
            let line = ModelHistory(
                model: model, at: nil, events: try HistoryTable(transition.transaction).events(of: model)
            ).line
            guard let present = line.last else {
                throw MartletError(
                    .refused, "registry.no-earlier-champion", "\(model) has no champion to roll back from.",
                    remedy: "Approve or promote a version first: `martlet models list`.")
            }
            guard let earlier = line.dropLast().last else {
                throw MartletError(
                    .refused, "registry.no-earlier-champion",
                    "\(model) has no champion before version \(present).",
                    remedy: "Promote another version: `martlet models promote \(model)@NUMBER`.")
            }
            if let expected, expected != earlier {
                throw MartletError(
                    .conflict, "registry.moved", "The champion of \(model) was moved by somebody else meanwhile.",
                    remedy: "Look again: `martlet models history \(model)`.")
            }
            try transition.after(model).set(model, .champion, earlier, .rollback, reason)
            return ChampionMove(model: model, from: present, to: earlier, moved: true)
        }
    }

    private func move<Result>(_ body: (ModelTransition) throws -> Result) throws -> Result {
        let now = metadata.context.now()
        return try metadata.write { try body(ModelTransition(transaction: $0, now: now)) }
    }

    /// A move of one version, which must be named by alias or number.
    private func move<Result>(
        _ reference: ModelReference, _ body: (ModelTransition, VersionSummary) throws -> Result
    ) throws -> Result {
        guard reference.selector != nil else {
            throw MartletError(
                .usage, "registry.which-version", "Say which version of \(reference.model) is meant.",
                remedy: "Write \(reference.model)@candidate or \(reference.model)@3.")
        }
        return try move { transition in
            let version = try transition.transaction.version(reference)
            return try body(transition.after(version.model), version)
        }
    }
}
