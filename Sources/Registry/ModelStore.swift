internal import Vocabulary

/// The registered models of a project: what moves them.
///
/// Without approval the first version that passes its gates becomes champion and each later one candidate, until
/// it is promoted. With approval a version is pending and has no alias until a person approves it. Every call is
/// one transaction, and what it did stands in the history with the actor and the time of the context.
package struct ModelStore: Sendable {
    let book: Book

    /// Registers the model of run `id` as the next version of its registered model. A run gives one version:
    /// registering it again gives the same one and changes nothing.
    ///
    /// Refuses a run whose gates did not pass (`registry.gates-failed`) and one without a trained model.
    @discardableResult
    package func register(run id: String, approval policy: ApprovalPolicy) throws -> Registration {
        try move { act in
            let run = try act.page.findRun(id)
            if let known = try VersionTable(act.page).find(run: run.id) {
                return Registration(version: known, isNew: false)
            }
            let hash = try registrable(run, act.page)
            let act = try act.after(run.model)
            try ModelTable(act.page).insert(run.model, at: act.now)
            let number = try VersionTable(act.page).insert(run, hash: hash, policy: policy, by: act.actor, at: act.now)
            try ApprovalTable(act.page).insert(run.model, number, policy == .required ? .pending : .none)
            try act.append(.registered, run.model, .registration, number)
            if policy == .none { try act.offer(run.model, number, .registration) }
            return Registration(version: try act.version(run.model, number), isNew: true)
        }
    }

    /// Approves a pending version: it becomes champion if there is none, else candidate.
    ///
    /// Refuses a version that is decided already, or needs no approval.
    @discardableResult
    package func approve(_ reference: ModelReference, reason: String? = nil) throws -> VersionSummary {
        try move(reference) { act, version in
            try undecided(version)
            try ApprovalTable(act.page).decide(version, .approved, by: act.actor, at: act.now, reason: reason)
            try act.append(.approved, version.model, .approval, version.version, reason: reason)
            try act.offer(version.model, version.version, .approval)
            return try act.version(version.model, version.version)
        }
    }

    /// Rejects a pending version, for a reason; it can never be promoted.
    @discardableResult
    package func reject(_ reference: ModelReference, reason: String) throws -> VersionSummary {
        guard !reason.allSatisfy(\.isWhitespace) else {
            throw MartletError(
                .usage, "registry.reason-needed", "A rejection needs a reason; it stays in the history.",
                remedy: "Say why with --reason.")
        }
        return try move(reference) { act, version in
            try undecided(version)
            try ApprovalTable(act.page).decide(version, .rejected, by: act.actor, at: act.now, reason: reason)
            try act.append(.rejected, version.model, .rejection, version.version, reason: reason)
            return try act.version(version.model, version.version)
        }
    }

    /// Makes the version champion. Nothing happens if it is already.
    ///
    /// Refuses a pending version and a rejected one (exit code 2).
    @discardableResult
    package func promote(_ reference: ModelReference, reason: String? = nil) throws -> ChampionMove {
        try move(reference) { act, version in
            try checkPromotable(version)
            let from = try AliasTable(act.page).version(version.model, .champion)
            try act.set(version.model, .champion, version.version, .promotion, reason)
            return ChampionMove(
                model: version.model, from: from, to: version.version, moved: from != version.version)
        }
    }

    /// Makes the champion before this one champion again; once more goes one further back.
    ///
    /// Refuses when there is none (exit code 2).
    /// - Parameter expected: the version that must be that champion, if somebody looked before.
    @discardableResult
    package func rollback(_ model: String, to expected: Int? = nil, reason: String? = nil) throws -> ChampionMove {
        try move { act in
            try act.page.requireModel(model)
            let line = ModelHistory(model: model, at: nil, events: try HistoryTable(act.page).events(of: model)).line
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
            try act.after(model).set(model, .champion, earlier, .rollback, reason)
            return ChampionMove(model: model, from: present, to: earlier, moved: true)
        }
    }

    private func move<Result>(_ body: (Act) throws -> Result) throws -> Result {
        let (now, actor) = (book.context.now(), book.context.actor)
        return try book.write { try body(Act(page: $0, actor: actor, now: now)) }
    }

    /// A move of one version, which must be named by alias or number.
    private func move<Result>(
        _ reference: ModelReference, _ body: (Act, VersionSummary) throws -> Result
    ) throws -> Result {
        guard reference.selector != nil else {
            throw MartletError(
                .usage, "registry.which-version", "Say which version of \(reference.model) is meant.",
                remedy: "Write \(reference.model)@candidate or \(reference.model)@3.")
        }
        return try move { act in
            let version = try act.page.version(reference)
            return try body(act.after(version.model), version)
        }
    }
}
