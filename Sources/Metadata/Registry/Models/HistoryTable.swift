internal import Core
internal import SQLText

/// The table `model_history`, which only grows.
struct HistoryTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    /// The events of `model` up to and including `instant`, oldest first.
    func events(of model: String, until instant: Timestamp? = nil) throws -> [ModelEvent] {
        var statement: SQL = "SELECT * FROM model_history WHERE project = \(transaction.project) AND model = \(model)"
        if let instant { statement += " AND at <= \(instant)" }
        return try transaction.connection.rows(statement + " ORDER BY position").map(ModelEvent.init(row:))
    }

    /// The instant of the newest event.
    func end(of model: String) throws -> Timestamp? {
        try transaction.connection.row(
            "SELECT MAX(at) AS newest FROM model_history WHERE project = \(transaction.project) AND model = \(model)"
        )?.optionalTimestamp("newest")
    }

    func append(
        _ event: ModelEvent.Kind, to model: String, cause: ModelEvent.Cause, version: Int,
        alias: ModelAlias? = nil, previous: Int? = nil, at now: Timestamp, by actor: String, reason: String? = nil
    ) throws {
        let newest = try transaction.connection.row(
            """
            SELECT COALESCE(MAX(position), 0) AS newest FROM model_history
            WHERE project = \(transaction.project) AND model = \(model)
            """)
        let position = try (newest?.int("newest") ?? 0) + 1
        try transaction.connection.execute(
            """
            INSERT INTO model_history (project, model, position, event, cause, version, alias, previous, at, actor,
                reason)
            VALUES (\(transaction.project), \(model), \(position), \(event.rawValue), \(cause.rawValue), \(version),
                \(alias?.rawValue), \(previous), \(now), \(actor), \(reason))
            """)
        let line = ModelEvent(
            position: position, at: now, event: event, cause: cause, version: version, alias: alias,
            previous: previous, actor: actor, reason: reason)
        let summary = event == .registered ? try VersionTable(transaction).find(model, version) : nil
        try transaction.publish(.told(line, of: model, summary))
    }
}

extension ModelEvent {
    fileprivate init(row: SQLRow) throws {
        self.init(
            position: try row.int("position"),
            at: try row.timestamp("at"),
            event: try row.oneOf("event"),
            cause: try row.oneOf("cause"),
            version: try row.int("version"),
            alias: try row.optionalText("alias") == nil ? nil : try row.oneOf("alias"),
            previous: try row.optionalInt("previous"),
            actor: try row.text("actor"),
            reason: try row.optionalText("reason")
        )
    }
}

extension EventDraft {
    /// A line of a model's history; `registered` is the version that a registration made.
    fileprivate static func told(_ line: ModelEvent, of model: String, _ registered: VersionSummary?) -> EventDraft {
        let type: EventType =
            switch line.event {
            case .registered: .versionRegistered
            case .approved: .versionApproved
            case .rejected: .versionRejected
            case .aliasSet: .aliasMoved
            case .aliasRemoved: .aliasRemoved
            }
        var data: [String: JSONValue?] = [
            "model": .text(model), "version": .integer(Int64(line.version)), "actor": .text(line.actor),
            "reason": line.reason.map { .text($0) },
        ]
        var subject = "models/\(model)/versions/\(line.version)"
        if let alias = line.alias {
            subject = "models/\(model)/aliases/\(alias.rawValue)"
            data["alias"] = .text(alias.rawValue)
            data["cause"] = .text(line.cause.rawValue)
            data["previous"] = line.previous.map { .integer(Int64($0)) }
        }
        if let registered {
            data["run"] = .text(registered.run)
            data["model_hash"] = .text(registered.modelHash.hex)
            data["synthetic"] = .flag(registered.synthetic)
            data["approval"] = .text(registered.approval.state.rawValue)
        }
        return EventDraft(
            type, id: "model/\(model)/\(line.position)", subject: subject, time: line.at, data: data)
    }
}
