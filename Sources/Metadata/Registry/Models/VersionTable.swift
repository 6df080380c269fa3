internal import Core
internal import SQLText

/// The table `model_versions`, read together with `approvals` and `aliases`.
struct VersionTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func find(_ model: String, _ version: Int) throws -> VersionSummary? {
        try select("v.model = \(model) AND v.version = \(version)").first
    }

    func find(run: String) throws -> VersionSummary? { try select("v.run = \(run)").first }

    /// Every version of `model`, oldest first.
    func all(of model: String) throws -> [VersionSummary] { try select("v.model = \(model)") }

    /// Every version of the project, by model, oldest first.
    func all() throws -> [VersionSummary] { try select("1 = 1") }

    /// The numbers of the versions registered from `runs`, by run.
    func versions(ofRuns runs: [String]) throws -> [String: Int] {
        var found: [String: Int] = [:]
        let rows = try transaction.connection.rows(
            "SELECT run, version FROM model_versions WHERE project = \(transaction.project) AND run IN (\(list: runs))")
        for row in rows { found[try row.text("run")] = try row.int("version") }
        return found
    }

    /// Inserts the next version of the run's model and gives its number.
    func insert(
        _ run: Run, hash: Digest, policy: ApprovalPolicy, by actor: String, at now: Timestamp
    ) throws -> Int {
        let newest = try transaction.connection.row(
            """
            SELECT COALESCE(MAX(version), 0) AS newest FROM model_versions
            WHERE project = \(transaction.project) AND model = \(run.model)
            """)
        let number = try (newest?.int("newest") ?? 0) + 1
        try transaction.connection.execute(
            """
            INSERT INTO model_versions (project, model, version, run, created, actor, policy, model_hash, synthetic)
            VALUES (\(transaction.project), \(run.model), \(number), \(run.id), \(now), \(actor), \(policy.rawValue),
                \(hash), \(run.synthetic))
            """)
        return number
    }

    private func select(_ condition: SQL) throws -> [VersionSummary] {
        let aliases = try AliasTable(transaction).all()
        return try transaction.connection.rows(
            """
            SELECT v.model AS model, v.version AS version, v.run AS run, v.created AS created, v.actor AS actor,
                v.policy AS policy, v.model_hash AS model_hash, v.synthetic AS synthetic,
                a.state AS state, a.decided AS decided, a.actor AS decider, a.reason AS reason
            FROM model_versions v
            JOIN approvals a ON a.project = v.project AND a.model = v.model AND a.version = v.version
            WHERE v.project = \(transaction.project) AND \(condition)
            ORDER BY v.model, v.version
            """
        ).map { try VersionSummary(row: $0, aliases: aliases) }
    }
}

extension VersionSummary {
    fileprivate init(row: SQLRow, aliases: [String: [ModelAlias: Int]]) throws {
        let model = try row.text("model")
        let version = try row.int("version")
        self.init(
            model: model,
            version: version,
            run: try row.text("run"),
            created: try row.timestamp("created"),
            actor: try row.text("actor"),
            synthetic: try row.bool("synthetic"),
            modelHash: try row.digest("model_hash"),
            approval: Approval(
                policy: try row.oneOf("policy"),
                state: try row.oneOf("state"),
                at: try row.optionalTimestamp("decided"),
                actor: try row.optionalText("decider"),
                reason: try row.optionalText("reason")
            ),
            aliases: ModelAlias.allCases.filter { aliases[model]?[$0] == version }
        )
    }
}
