internal import Core
internal import SQLText

/// The table `runs`: the head of each run, without its parts.
struct RunTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func find(_ id: String) throws -> Run? {
        try transaction.connection.row("SELECT * FROM runs WHERE project = \(transaction.project) AND id = \(id)")
            .map(Run.init(row:))
    }

    /// Up to `limit` ids that begin with `prefix`, which holds nothing but hexadecimal digits.
    func ids(beginningWith prefix: String, limit: Int) throws -> [String] {
        try transaction.connection.rows(
            """
            SELECT id FROM runs WHERE project = \(transaction.project) AND id >= \(prefix) AND id < \(prefix + "g")
            ORDER BY id LIMIT \(limit)
            """
        ).map { try $0.text("id") }
    }

    func find(model: String, fingerprint: Digest) throws -> String? {
        try transaction.connection.row(
            """
            SELECT id FROM runs WHERE project = \(transaction.project) AND model = \(model)
                AND fingerprint = \(fingerprint) AND status IN ('finished', 'rejected')
            ORDER BY started DESC, id DESC LIMIT 1
            """
        ).map { try $0.text("id") }
    }

    /// Newest first.
    func list(model: String?, status: Run.Status?, limit: Int) throws -> [Run] {
        var statement: SQL = "SELECT * FROM runs WHERE project = \(transaction.project)"
        if let model { statement += " AND model = \(model)" }
        if let status { statement += " AND status = \(status.rawValue)" }
        statement += " ORDER BY started DESC, id DESC LIMIT \(limit)"
        return try transaction.connection.rows(statement).map(Run.init(row:))
    }

    /// Ids of runs that were begun and not recorded, oldest first.
    func running() throws -> [String] {
        try transaction.connection.rows(
            "SELECT id FROM runs WHERE project = \(transaction.project) AND status = 'running' ORDER BY started, id"
        ).map { try $0.text("id") }
    }

    func count(model: String?) throws -> Int {
        var statement: SQL = "SELECT COUNT(*) AS n FROM runs WHERE project = \(transaction.project)"
        if let model { statement += " AND model = \(model)" }
        return try transaction.connection.row(statement)?.int("n") ?? 0
    }

    /// The names of all models that ever had a run.
    func models() throws -> [String] {
        try transaction.connection.rows(
            "SELECT DISTINCT model FROM runs WHERE project = \(transaction.project) ORDER BY model"
        ).map { try $0.text("model") }
    }

    /// Inserts the head as running, and the experiment if it is new.
    func begin(_ run: Run) throws {
        try transaction.connection.execute(
            """
            INSERT INTO experiments (project, name, created)
            VALUES (\(transaction.project), \(run.experiment), \(run.started)) ON CONFLICT (project, name) DO NOTHING
            """)
        try transaction.connection.execute(
            """
            INSERT INTO runs (project, id, experiment, model, status, started, ended, actor, seed, fingerprint,
                synthetic, error, model_hash)
            VALUES (\(transaction.project), \(run.id), \(run.experiment), \(run.model), 'running', \(run.started), NULL,
                \(run.actor), \(run.seed), \(run.fingerprint), \(run.synthetic), NULL, NULL)
            """)
    }

    /// Gives a running run its outcome, after which nothing of it changes.
    func conclude(_ run: Run, at ended: Timestamp) throws {
        try transaction.connection.execute(
            """
            UPDATE runs SET status = \(run.status.rawValue), ended = \(ended), error = \(run.error),
                model_hash = \(run.modelHash), synthetic = \(run.synthetic), fingerprint = \(run.fingerprint)
            WHERE project = \(transaction.project) AND id = \(run.id)
            """)
    }
}

extension Run {
    fileprivate init(row: SQLRow) throws {
        self.init(
            id: try row.text("id"),
            experiment: try row.text("experiment"),
            model: try row.text("model"),
            status: try row.oneOf("status"),
            started: try row.timestamp("started"),
            ended: try row.optionalTimestamp("ended"),
            actor: try row.text("actor"),
            seed: try row.int("seed"),
            fingerprint: try row.digest("fingerprint"),
            synthetic: try row.bool("synthetic"),
            error: try row.optionalText("error"),
            modelHash: try row.optionalDigest("model_hash")
        )
    }
}
