package import Core
internal import SQLText

extension ModelStore {
    /// Returns all registered models, by name.
    package func list() throws -> [ModelSummary] {
        try metadata.read { transaction in
            let versions = Dictionary(grouping: try VersionTable(transaction).all(), by: \.model)
            return try ModelTable(transaction).all().map { model in
                let own = versions[model.name] ?? []
                return ModelSummary(
                    model: model.name,
                    created: model.created,
                    versions: own.count,
                    champion: own.first { $0.aliases.contains(.champion) }?.version,
                    candidate: own.first { $0.aliases.contains(.candidate) }?.version,
                    pending: own.filter { $0.approval.state == .pending }.map(\.version),
                    synthetic: own.contains { $0.synthetic }
                )
            }
        }
    }

    /// Returns the other project with the most versions in the database, when this one has none.
    package func leftBehind() throws -> (project: String, versions: Int)? {
        try metadata.read { transaction in
            let row = try transaction.connection.row(
                """
                SELECT project, COUNT(*) AS versions FROM model_versions
                WHERE NOT EXISTS (SELECT 1 FROM model_versions v WHERE v.project = \(transaction.project))
                GROUP BY project ORDER BY COUNT(*) DESC, project LIMIT 1
                """)
            return try row.map { (try $0.text("project"), try $0.int("versions")) }
        }
    }

    /// Returns all versions of a model, newest first.
    package func versions(of model: String) throws -> [VersionSummary] {
        try metadata.read { transaction in
            try transaction.requireModel(model)
            return try VersionTable(transaction).all(of: model).reversed()
        }
    }

    /// Returns the referenced version; the champion if only the model is named.
    package func resolve(_ reference: ModelReference) throws -> VersionSummary {
        try metadata.read { try $0.version(reference) }
    }

    /// Returns the referenced version with everything its run measured; the champion if only the model is named.
    package func show(_ reference: ModelReference) throws -> ModelVersion {
        try metadata.read { transaction in
            let summary = try transaction.version(reference)
            return ModelVersion(summary: summary, run: try transaction.whole(transaction.findRun(summary.run)))
        }
    }

    /// Returns the history of a model up to `instant` (`nil` for now), with the champion at that time.
    package func history(_ model: String, at instant: Timestamp? = nil) throws -> ModelHistory {
        try metadata.read { transaction in
            try transaction.requireModel(model)
            let events = try HistoryTable(transaction).events(of: model, until: instant)
            return ModelHistory(model: model, at: instant, events: events)
        }
    }
}

extension MetadataTransaction {
    /// Refuses a name that is not a registered model's.
    func requireModel(_ model: String) throws {
        let names = try ModelTable(self).all().map(\.name)
        guard !names.contains(model) else { return }
        guard !names.isEmpty else {
            throw MartletError(
                .missing, "registry.unknown-model", "There is no model '\(model)': none is registered yet.",
                remedy: "`martlet run` trains and registers one.")
        }
        let hint = Spelling.nearest(to: model, among: names).map { "Did you mean \($0)?" }
        throw MartletError(
            .missing, "registry.unknown-model",
            "There is no model '\(model)'. \(hint ?? "There is \(names.joined(separator: ", ")).")")
    }

    /// The version named, or the champion. Refuses unknown names, numbers that are not there, and an alias
    /// that names nothing yet.
    func version(_ reference: ModelReference) throws -> VersionSummary {
        try requireModel(reference.model)
        let number: Int
        switch reference.selector ?? .alias(.champion) {
        case .version(let asked):
            number = asked
        case .alias(let alias):
            number = try required(alias, of: reference.model)
        }
        if let version = try VersionTable(self).find(reference.model, number) { return version }
        let count = try VersionTable(self).all(of: reference.model).count
        throw MartletError(
            .missing, "registry.unknown-version",
            "\(reference.model) has no version \(number); its versions are 1 to \(count).",
            remedy: "`martlet models show \(reference.model)`")
    }

    private func required(_ alias: ModelAlias, of model: String) throws -> Int {
        if let number = try AliasTable(self).version(model, alias) { return number }
        let pending = try VersionTable(self).all(of: model).filter { $0.approval.state == .pending }.map(\.version)
        let waiting = pending.map(String.init).joined(separator: ", ")
        throw MartletError(
            .missing, "registry.unknown-alias",
            "\(model) has no \(alias.rawValue)." + (pending.isEmpty ? "" : " Waiting for approval: \(waiting)."),
            remedy: pending.first.map { "`martlet models approve \(model)@\($0)`" } ?? "`martlet models list`")
    }
}
