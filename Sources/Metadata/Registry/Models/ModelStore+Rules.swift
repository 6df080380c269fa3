internal import Core

extension ModelStore {
    /// The hash of the run's model. Refuses a run that may not be registered.
    func registrable(_ run: Run, _ transaction: MetadataTransaction) throws -> Digest {
        switch run.status {
        case .running:
            throw MartletError(
                .conflict, "registry.unfinished-run",
                "Run \(run.id) has no outcome yet: it is at work, or was interrupted.",
                remedy: "`martlet runs show \(run.id.prefix(12))` tells which.")
        case .failed:
            throw MartletError(
                .conflict, "registry.unfinished-run",
                "Run \(run.id) failed, so there is no model to register: \(run.error ?? "no reason was kept").")
        case .rejected:
            let failed = try RunGateTable(transaction).all(run: run.id).filter { !$0.passed }.map(\.description)
            throw MartletError(
                .refused, "registry.gates-failed",
                "\(run.model) did not pass its gates in run \(run.id): \(failed.joined(separator: ", ")).",
                remedy: "Compare it with an earlier run: `martlet runs compare`.")
        case .finished:
            guard let hash = run.modelHash else {
                throw MartletError(.defect, "registry.unfinished-run", "Run \(run.id) finished without a model.")
            }
            return hash
        }
    }

    /// Refuses a version whose approval is not pending.
    func undecided(_ version: VersionSummary) throws {
        let name = "\(version.model) version \(version.version)"
        let decision = "by \(version.approval.actor ?? "someone") at \(version.approval.at?.description ?? "some time")"
        switch version.approval.state {
        case .pending:
            return
        case .none:
            throw MartletError(
                .conflict, "registry.no-approval-needed", "\(name) was registered without need of approval.",
                remedy: "Promote it, or set `approval: required` for the versions to come.")
        case .approved:
            throw MartletError(
                .conflict, "registry.already-approved", "\(name) was approved \(decision).",
                remedy: "An approval is decided once. Put another version in its place with `models promote`.")
        case .rejected:
            throw MartletError(
                .conflict, "registry.already-rejected",
                "\(name) was rejected \(decision): \(version.approval.reason ?? "no reason was kept").",
                remedy: "An approval is decided once. Train a new version.")
        }
    }

    /// Throws for a version that is pending approval or rejected.
    package func checkPromotable(_ version: VersionSummary) throws {
        let name = "\(version.model) version \(version.version)"
        switch version.approval.state {
        case .none, .approved:
            return
        case .pending:
            throw MartletError(
                .refused, "registry.pending", "\(name) waits for approval and cannot be promoted.",
                remedy: "`martlet models approve \(version.model)@\(version.version)`")
        case .rejected:
            throw MartletError(
                .refused, "registry.rejected",
                "\(name) was rejected and can never be promoted: \(version.approval.reason ?? "no reason was kept").")
        }
    }
}

/// One change of a model: transaction, actor and time.
struct ModelTransition {
    let transaction: MetadataTransaction
    let now: Timestamp

    var actor: String { transaction.actor }

    /// The same act, not before the end of the model's history: the clock may have been set back.
    func after(_ model: String) throws -> ModelTransition {
        ModelTransition(transaction: transaction, now: try max(now, HistoryTable(transaction).end(of: model) ?? now))
    }

    func append(
        _ event: ModelEvent.Kind, _ model: String, _ cause: ModelEvent.Cause, _ version: Int, reason: String? = nil
    ) throws {
        try HistoryTable(transaction).append(
            event, to: model, cause: cause, version: version, at: now, by: actor, reason: reason)
    }

    /// Makes the version champion if there is none, else candidate.
    func offer(_ model: String, _ version: Int, _ cause: ModelEvent.Cause) throws {
        let champion = try AliasTable(transaction).version(model, .champion)
        try set(model, champion == nil ? .champion : .candidate, version, cause)
    }

    /// Moves the alias, unless it is there already. A champion is no candidate any more.
    func set(
        _ model: String, _ alias: ModelAlias, _ version: Int, _ cause: ModelEvent.Cause, _ reason: String? = nil
    ) throws {
        let aliases = AliasTable(transaction)
        let previous = try aliases.version(model, alias)
        guard previous != version else { return }
        try aliases.set(model, alias, to: version, at: now)
        try HistoryTable(transaction).append(
            .aliasSet, to: model, cause: cause, version: version, alias: alias, previous: previous, at: now,
            by: actor, reason: reason)
        guard alias == .champion, try aliases.version(model, .candidate) == version else { return }
        try aliases.remove(model, .candidate)
        try HistoryTable(transaction).append(
            .aliasRemoved, to: model, cause: cause, version: version, alias: .candidate, previous: version, at: now,
            by: actor)
    }

    func version(_ model: String, _ number: Int) throws -> VersionSummary {
        try transaction.version(ModelReference(model: model, selector: .version(number)))
    }
}
