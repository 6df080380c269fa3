internal import DuckDB
internal import Lakehouse
internal import LightGBM
internal import Machine
internal import Projects
internal import Registry
internal import SQLite
internal import Training
package import Vocabulary
internal import Workflow
internal import XGBoost

/// Looks for what is wrong, and says what to do.
package enum Doctor {
    package struct Finding: Sendable, Encodable {
        package enum State: String, Sendable, Encodable { case good, warning, wrong }
        package var what: String
        package var state: State
        package var detail: String

        package init(what: String, state: State, detail: String) {
            self.what = what
            self.state = state
            self.detail = detail
        }
    }

    /// Versions of the linked libraries and where they came from.
    package static func libraries() -> [Finding] {
        let sources = sources()
        let linked = [
            ("duckdb", String(Database.version.drop { $0 == "v" })),
            ("lightgbm", sources["lightgbm"]?.version ?? "linked"),
            ("xgboost", XGBoostLibrary.version),
        ]
        return linked.map { name, version in
            let source = sources[name]?.source ?? "of unknown origin"
            let isRight = name != "duckdb" || version.hasPrefix("1.5.")
            return Finding(
                what: name, state: isRight ? .good : .wrong,
                detail: "\(version), \(source)" + (isRight ? "" : "; Martlet needs DuckDB 1.5: run `make setup`"))
        }
    }

    /// The project's files, tables, registry and disk.
    package static func project(_ composition: Composition) -> [Finding] {
        var findings: [Finding] = []
        func look(_ what: String, _ body: () throws -> String) {
            do { findings.append(Finding(what: what, state: .good, detail: try body())) } catch {
                findings.append(Finding(what: what, state: .wrong, detail: "\(error)"))
            }
        }
        look("project") {
            let project = try composition.project()
            return
                "\(project.name): \(count(project.sources.count, "source")), \(count(project.transforms.count, "transform")), \(count(project.models.count, "model"))"
        }
        guard findings.last?.state == .good, let project = try? composition.project() else { return findings }
        look("disk") {
            try Disk.makeDirectory(composition.home)
            guard Disk.isWritable(composition.home) else {
                throw MartletError(.machine, "disk.permission", "\(composition.home) cannot be written to.")
            }
            let free = Disk.freeBytes(composition.home) ?? 0
            guard free > 200 << 20 else {
                throw MartletError(
                    .machine, "disk.full", "Only \(free >> 20) MiB are free for \(composition.home).",
                    remedy: "Free some space, or move the state elsewhere with --home.")
            }
            return "\(composition.home), \(free >> 30) GiB free"
        }
        // Before the workspace, which records what it finds interrupted.
        if let runs = runs(composition) { findings.append(runs) }
        do {
            try composition.withWorkspace { workspace in
                look("transforms") {
                    let planned = try workspace.plannedTransforms()
                    let bound = try planned.count { try workspace.check($0) }
                    let rest = planned.count - bound
                    return "\(count(planned.count, "table")) in order"
                        + (rest > 0
                            ? ", \(rest) not checked further until their inputs exist" : ", SQL fits the tables")
                }
                for model in project.models {
                    look("model \(model.name)") {
                        _ = try workspace.makeLearner(model.plan.learner)
                        return "\(model.plan.learner.kind) on \(model.table)"
                    }
                }
                if !project.models.isEmpty, findings.last(where: { $0.what == "transforms" })?.state == .good {
                    look("leaks") {
                        let planned = try workspace.plannedTransforms()
                        try workspace.refuseLeaks(planned)
                        return "no feature knows what is not known yet"
                    }
                }
                for source in project.sources {
                    let waiting = Disk.list(source.landing).count { !$0.hasPrefix(".") }
                    findings.append(
                        Finding(
                            what: "source \(source.name)", state: waiting == 0 ? .warning : .good,
                            detail: waiting == 0
                                ? "no file in \(source.landing); land one there" : "\(count(waiting, "file")) landed"))
                }
                for table in workspace.lake.tables() {
                    look("\(table)") {
                        let lake = workspace.lake
                        let committed = try lake.reference(to: table)
                        let found = try lake.engine.contentHash(of: try lake.files(of: table))
                        guard found == committed.hash else { throw lake.altered(table, committed.version) }
                        return "\(grouped(found.rows)) rows readable, as they were committed"
                    }
                }
                look("registry") { "\(count(try workspace.registry.models.list().count, "model")) registered" }
            }
        } catch { findings.append(Finding(what: "state", state: .wrong, detail: "\(error)")) }
        return findings
    }

    /// Runs that were begun and have no outcome; `nil` where there is no registry to ask, which others tell of.
    private static func runs(_ composition: Composition) -> Finding? {
        guard let runs = try? composition.withRegistry({ try $0.runs.unfinished() }) else { return nil }
        guard runs.interrupted.isEmpty else {
            return Finding(
                what: "runs", state: .warning,
                detail: "interrupted, their process is gone: \(runs.interrupted.joined(separator: ", ")); "
                    + "`martlet run` goes on where they stopped")
        }
        return Finding(
            what: "runs", state: .good,
            detail: runs.running.isEmpty ? "none at work" : "at work: \(runs.running.joined(separator: ", "))")
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    private struct Source: Decodable {
        var name: String
        var version: String
        var source: String
    }

    /// What the setup script wrote about where each library came from.
    private static func sources() -> [String: Source] {
        var folders = [Disk.parent(of: RealWorld.executable)]
        for _ in 0..<4 { folders.append(Disk.parent(of: folders[folders.count - 1])) }
        for folder in folders {
            for place in ["sources.json", ".deps/sources.json"] {
                guard let bytes = try? Disk.read("\(folder)/\(place)") else { continue }
                let list = try? JSON.decode([Source].self, from: bytes)
                return Dictionary((list ?? []).map { ($0.name, $0) }) { first, _ in first }
            }
        }
        return [:]
    }
}
