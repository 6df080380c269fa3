internal import Composition
internal import Core
internal import DuckDB
internal import Lakehouse
internal import LightGBM
internal import Projects
internal import Registry
internal import SQLLineage
internal import SQLite
internal import Storage
internal import Training
internal import Workflow
internal import XGBoost

/// Checks of an installation and a project, with advice for each problem: the command `martlet doctor`.
///
/// ```swift
/// let findings = Doctor.libraries() + Doctor.project(composition)
/// ```
package enum Doctor {
    /// The result of one check.
    package struct Finding: Sendable, Encodable {
        /// Severity of a finding.
        package enum State: String, Sendable, Encodable { case good, warning, wrong }
        /// What was checked: "duckdb", "disk", "model readmission"; several findings may share it.
        package var what: String
        /// Severity; one `wrong` finding makes `martlet doctor` exit with 1.
        package var state: State
        /// What was found, in words for the person, with advice where something is to be done.
        package var detail: String

        package init(what: String, state: State, detail: String) {
            self.what = what
            self.state = state
            self.detail = detail
        }
    }

    /// Checks the linked libraries: versions and where they were loaded from.
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

    /// Checks the project's files, tables, registry and disk.
    package static func project(_ composition: Composition) -> [Finding] {
        var findings: [Finding] = []
        func note(_ what: String, _ state: Finding.State, _ detail: String) {
            findings.append(Finding(what: what, state: state, detail: detail))
        }
        func look(_ what: String, _ body: () throws -> String) {
            do { note(what, .good, try body()) } catch let error as MartletError {
                for fault in error.each { note(what, .wrong, "\(fault)") }
            } catch { note(what, .wrong, "\(error)") }
        }
        look("project") {
            let project = try composition.project()
            return
                "\(project.name): \(count(project.sources.count, "source")), \(count(project.transforms.count, "transform")), \(count(project.models.count, "model"))"
        }
        guard findings.last?.state == .good, let project = try? composition.project() else { return findings }
        look("disk") {
            try composition.makeHome()
            guard Disk.isWritable(composition.home.folder) else {
                throw MartletError(.machine, "disk.permission", "\(composition.home.folder) cannot be written to.")
            }
            if let rights = Disk.permissions(composition.home.folder), rights & 0o077 != 0 {
                note(
                    "disk", .warning,
                    "other accounts may look into \(composition.home.folder), where rows about people are: "
                        + "`chmod -R go= \(composition.home.folder)`")
            }
            let free = Disk.freeBytes(composition.home.folder) ?? 0
            guard free > 200 << 20 else {
                throw MartletError(
                    .machine, "disk.full", "Only \(free >> 20) MiB are free for \(composition.home.folder).",
                    remedy: "Free some space, or move the state elsewhere with --home.")
            }
            return "\(composition.home.folder), \(free >> 30) GiB free"
        }
        var metadata: MetadataLocation?
        var isThere = false
        look("metadata") {
            let location = try composition.metadata(of: project)
            metadata = location
            isThere = try location.exists()
            return isThere ? location.place : "\(location.place), not begun"
        }
        guard let metadata, findings.last?.state != .wrong else { return findings }
        if !isThere, let tables = try? composition.lake().tables(), !tables.isEmpty {
            // Opening the project to write would make a new one, and hide that it is gone.
            note(
                "registry", .wrong,
                "\(metadata.place) is gone, though the lake has \(count(tables.count, "table")): versions, runs, "
                    + "approvals and history stood in it. Restore it from a backup; `martlet run` would begin a new one."
            )
            return findings
        }
        if isThere {
            look("database") { try metadata.check() }
            // Whoever opens it to write may make the damage worse.
            if findings.last?.state == .wrong { return findings }
        }
        // Before the workspace, which records what it finds interrupted.
        if let runs = runs(composition) { findings.append(runs) }
        func check(_ workspace: Workspace) throws {
            var shapes: [TableName: [DeltaField]] = [:]
            var planned: [PlannedTransform] = []
            look("transforms") {
                planned = try workspace.plannedTransforms()
                shapes = try workspace.shapes(of: planned)
                let bound = try planned.count { try workspace.check($0) }
                let rest = planned.count - bound
                return "\(count(planned.count, "table")) in order, SQL fits the contracts"
                    + (rest > 0 ? "; \(rest) not built yet" : " and the tables")
            }
            let isSound = findings.last { $0.what == "transforms" }?.state == .good
            for model in project.models {
                look("model \(model.name)") {
                    _ = try workspace.learners.make(model.plan)
                    let made = try workspace.columns(of: model.table, shapes)
                    if isSound, let made { try workspace.check(model, against: made) }
                    if isSound, made == nil { throw workspace.lake.missing(model.table) }
                    return "\(model.plan.learner.kind) on \(model.table)"
                }
            }
            if !project.models.isEmpty, isSound {
                var leaks: [String: TrainingChecks.Leaks]?
                do { leaks = try workspace.refuseLeaks(planned) } catch { note("leaks", .wrong, "\(error)") }
                for model in project.models {
                    guard let leaks = leaks?[model.name] else { continue }
                    note(
                        "leaks \(model.name)", leaks.unchecked == nil ? .good : .warning, leaks.sentence)
                }
            }
            for model in project.models {
                for warning in (try? workspace.warnings(of: model)) ?? [] {
                    note("features \(model.name)", .warning, warning)
                }
            }
            for source in project.sources {
                let waiting = try Disk.list(source.landing).count { !$0.hasPrefix(".") }
                note(
                    "source \(source.name)", waiting == 0 ? .warning : .good,
                    waiting == 0
                        ? "no file in \(source.landing); land one there" : "\(count(waiting, "file")) landed")
                look("contract \(source.name)") {
                    for misfit in try workspace.misfits(of: source) {
                        note("landing/\(source.name)", .wrong, "\(misfit.file) will not fit: \(misfit.problem)")
                    }
                    if let lag = try workspace.lag(of: source) {
                        note("bronze.\(source.name)", lag.isWrong ? .wrong : .warning, lag.sentence)
                    }
                    return count(source.contract.columns.count, "column")
                }
            }
            for stray in try workspace.strayFolders() { note(stray.folder, .wrong, stray.problem) }
            for table in try workspace.lake.tables() {
                look("\(table)") {
                    let lake = workspace.lake
                    let committed = try lake.reference(to: table)
                    let found = try lake.engine.contentHash(of: try lake.files(of: table), by: committed.hash.scheme)
                    guard found == committed.hash else { throw lake.altered(table, committed.version) }
                    return "\(grouped(found.rows)) rows readable, as they were committed"
                }
            }
            look("registry") {
                if let lost = try workspace.lostRegistry() { note("registry", .wrong, lost) }
                for (version, problem) in try workspace.artifactProblems() {
                    note("version \(version)", .wrong, problem)
                }
                return "\(count(try workspace.registry.models.list().count, "model")) registered"
            }
        }
        do {
            // Where there is a registry, what was interrupted is put in order; where there is none, none is made.
            if isThere {
                try composition.withWorkspace(check)
            } else {
                try composition.withTemporaryRegistry(check)
            }
        } catch let error as MartletError where error.code == "project.busy" {
            // Looking needs no lock, only what opening to write puts in order: what was interrupted.
            note("state", .good, "another martlet is at work here; looked at beside it")
            do { try composition.withReadingWorkspace(check) } catch { note("state", .wrong, "\(error)") }
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
        var folders = [Disk.parent(of: SystemPlatform.executable)]
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
