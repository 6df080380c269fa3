internal import Core

// What the registry's own happenings look like as events; docs/events.md describes each.

extension EventDraft {
    static func started(_ run: Run) -> EventDraft {
        EventDraft(
            .runStarted, id: "run/\(run.id)/started", subject: "runs/\(run.id)", time: run.started, data: head(run))
    }

    /// A run that came to an outcome.
    static func ended(_ run: Run, at ended: Timestamp) -> EventDraft {
        var data = head(run)
        data["model_hash"] = run.modelHash.map { .text($0.hex) }
        data["seconds"] = .number(ended.seconds(since: run.started))
        let type: EventType
        switch run.status {
        case .finished: type = .runFinished
        case .rejected: type = .runRejected
        case .failed, .running: type = .runFailed
        }
        if type == .runFailed {
            data["error"] = .text(run.error ?? "no reason was kept")
        } else {
            var metrics: [String: JSONValue] = [:]
            for name in run.metrics.names(in: "test") {
                if let value = run.metrics["test", name]?.value { metrics[name] = .number(value) }
            }
            data["metrics"] = .object(metrics)
            data["gates"] = .object([
                "passed": .integer(Int64(run.gates.count { $0.passed })),
                "failed": .integer(Int64(run.gates.count { !$0.passed })),
            ])
            data["tables"] = .list(
                run.lineage.tables.map { .text("\($0.name)@\($0.snapshot)") }.sorted { $0.text ?? "" < $1.text ?? "" })
        }
        return EventDraft(
            type, id: "run/\(run.id)/\(run.status.rawValue)", subject: "runs/\(run.id)", time: ended, data: data)
    }

    /// How one quality gate of a run came out; `index` is its place among the run's gates.
    static func judged(_ gate: GateResult, _ index: Int, _ run: Run, at time: Timestamp) -> EventDraft {
        var data: [String: JSONValue] = [
            "run": .text(run.id), "model": .text(run.model), "part": .text(gate.part),
            "metric": .text(gate.metric), "comparator": .text(gate.comparator.rawValue),
            "bound": .number(gate.bound), "value": gate.value.map { .number($0) } ?? .null,
            "passed": .flag(gate.passed),
        ]
        if let judged = gate.judged { data["judged"] = .number(judged) }
        return EventDraft(
            gate.passed ? .gatePassed : .gateFailed, id: "gate/\(run.id)/\(index)", subject: "runs/\(run.id)",
            time: time, data: data)
    }

    /// A line of a model's history; `registered` is the version that a registration made.
    static func told(_ line: ModelEvent, of model: String, _ registered: VersionSummary?) -> EventDraft {
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

    private static func head(_ run: Run) -> [String: JSONValue?] {
        [
            "run": .text(run.id), "model": .text(run.model), "experiment": .text(run.experiment),
            "actor": .text(run.actor), "seed": .integer(Int64(run.seed)), "fingerprint": .text(run.fingerprint.hex),
            "synthetic": .flag(run.synthetic),
        ]
    }
}
