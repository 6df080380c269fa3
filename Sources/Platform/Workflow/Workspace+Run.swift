package import Core
package import Lakehouse
internal import Projects
package import Registry
internal import SQLLineage
internal import Storage
internal import Training

/// The stages of `martlet run`, in order.
package enum Stage: String, CaseIterable, Sendable, Comparable, Codable {
    case ingest, transform, train, register, predict

    package static func < (a: Stage, b: Stage) -> Bool { a.rank < b.rank }
    private var rank: Int { Stage.allCases.firstIndex(of: self) ?? 0 }
}

/// Result of `martlet run`.
package struct RunReport: Sendable {
    /// Result of training one model.
    package struct Model: Sendable {
        /// Name of the model, as in martlet.yaml.
        package var name: String
        /// Id of the training run; that of an earlier one where its result still holds and nothing was trained.
        package var run: String
        /// Whether the training run passed all its gates; otherwise no version is registered.
        package var passed: Bool
        /// Version of the run, or an equal one of another run; `nil` if it did not pass or was not to be registered.
        package var version: VersionSummary?
        /// Outcomes of the training run's gates, one for each bound, in the order of martlet.yaml.
        package var gates: [Registry.GateResult] = []
        /// Whether the features could be checked for leaks in this run; a leak that is found ends the run instead.
        package var leaks: TrainingChecks.Leaks
        /// Warnings as sentences: from training, if it was trained in this run, and from predicting.
        package var warnings: [String] = []
    }

    /// Warnings about the project as a whole.
    package var warnings: [String] = []
    /// Results by source, in the order of martlet.yaml; empty for a run that begins after `ingest`.
    package var ingested: [IngestReport] = []
    /// Results by model, in the order of martlet.yaml; empty for a run that ends before `train`.
    package var models: [Model] = []

    /// Rejected files with their sources.
    package var refusedFiles: [(source: String, file: IngestReport.File)] {
        ingested.flatMap { report in report.files.filter { $0.outcome == .refused }.map { (report.source, $0) } }
    }
}

extension Workspace {
    /// Executes the whole path: files → bronze → silver → gold → candidate → gates → registry → predictions.
    ///
    /// Steps whose inputs have not changed are skipped, so an interrupted run continues where it stopped.
    package func run(from first: Stage = .ingest, to last: Stage = .predict, journal: Journal) throws -> RunReport {
        var report = RunReport()
        func includes(_ stage: Stage) -> Bool { first <= stage && stage <= last }
        journal.expected = expectedSteps(includes, upTo: last)
        report.warnings = try lostRegistry().map { [$0] } ?? []
        if includes(.ingest) { report.ingested = try ingestAll(journal) }
        guard last >= .transform else { return report }
        let planned = try plannedTransforms()
        if includes(.transform) { for item in planned { try build(item, journal) } }
        guard last >= .train else { return report }
        let leaks = try refuseLeaks(planned)
        for model in project.models {
            let specification = ModelSpecification(model)
            let fingerprint = try trainingFingerprint(specification)
            let status = try tell(leaks[model.name], of: model, journal)
            var outcome = try outcome(specification, fingerprint, planned, status, journal, mayTrain: includes(.train))
            if outcome.passed, includes(.register) {
                outcome.version = try register(outcome, model.needsApproval ? .required : .none, journal)
            }
            // A candidate that fails its gates does not keep the champion from its work.
            if includes(.predict) {
                outcome.warnings += try predictUnlabelled(specification, into: model.predictions, journal)
            }
            report.models.append(outcome)
        }
        return report
    }

    /// How many steps a run has, if every model passes its gates.
    private func expectedSteps(_ includes: (Stage) -> Bool, upTo last: Stage) -> Int {
        let perModel =
            (last >= .train ? 3 : 0) + (includes(.register) ? 1 : 0) + (includes(.predict) ? 1 : 0)
        return (includes(.ingest) ? project.sources.count : 0) + (includes(.transform) ? project.transforms.count : 0)
            + project.models.count * perModel
    }

    /// Says whether a model's features could be checked.
    private func tell(
        _ leaks: TrainingChecks.Leaks?, of model: Project.Model, _ journal: Journal
    ) throws -> TrainingChecks.Leaks {
        let leaks = leaks ?? .init(unchecked: "its SQL was not read", timeless: [])
        return try journal.step("leaks:\(model.name)") {
            (leaks, Journal.Note(leaks.unchecked == nil ? .done : .skipped, leaks.sentence))
        }
    }

    /// Returns a warning when another project name has all the versions in this registry, as after a renaming.
    package func lostRegistry() throws -> String? {
        guard let (name, versions) = try registry.models.leftBehind() else { return nil }
        return
            "\(counted(versions, "version")) in this registry, with runs, approvals and history, belong to the project \(name); "
            + "a project named \(project.name) does not see them. Write name: \(name) in martlet.yaml to have them back."
    }

    private func ingestAll(_ journal: Journal) throws -> [IngestReport] {
        try project.sources.map { source in
            try journal.step("ingest:\(source.name)") {
                let report = try ingestLanded(source)
                let refused = report.files.filter { $0.outcome == .refused }
                if try !lake.table(TableName(.bronze, source.name)).exists {
                    if let file = refused.first { throw Self.refusal(of: file, source.name) }
                    throw nothing(report, source)
                }
                let behind = try lake.filesBehind(source.contract).behind.count
                return (report, note(report, source.name, behind: behind))
            }
        }
    }

    /// What a source's ingestion came to, in a line.
    private func note(_ report: IngestReport, _ source: String, behind: Int) -> Journal.Note {
        func count(_ outcome: IngestReport.Outcome) -> Int { report.files.count { $0.outcome == outcome } }
        let fresh = report.files.filter { $0.outcome == .ingested }
        var parts: [String] = []
        if fresh.isEmpty {
            let known = count(.alreadyKnown) + count(.dropped)
            parts.append("nothing new (" + (known == 0 ? "nothing landed)" : "\(known) known)"))
        } else {
            let rows = fresh.reduce(0) { $0 + $1.rowsAccepted }
            let rejected = fresh.reduce(0) { $0 + $1.rowsRejected }
            parts.append("\(grouped(rows)) rows of \(fresh.count) \(fresh.count == 1 ? "file" : "files")")
            if rejected > 0 {
                parts.append("\(grouped(rejected)) to quarantine (see martlet quarantine show \(source))")
            }
        }
        if count(.refused) > 0 { parts.append("\(count(.refused)) \(count(.refused) == 1 ? "file" : "files") refused") }
        if count(.changing) > 0 { parts.append("\(count(.changing)) still being written") }
        if let marker = report.waitsFor { parts.append("waits for \(marker)") }
        if behind > 0 {
            parts.append(
                "\(grouped(behind)) \(behind == 1 ? "file was" : "files were") taken under an earlier contract "
                    + "(martlet ingest --again --source \(source))")
        }
        let isRefused = count(.refused) > 0
        return Journal.Note(
            isRefused ? .refused : fresh.isEmpty ? .skipped : .done, parts.joined(separator: ", "))
    }

    /// The error for a source that has no table yet and no file to make one of.
    private func nothing(_ report: IngestReport, _ source: Project.Source) -> MartletError {
        if let marker = report.waitsFor {
            return MartletError(
                .missing, "ingest.nothing", "The files of \(source.name) are not complete: there is no \(marker).",
                at: .init(file: source.landing), remedy: "Run again when the marker is there.")
        }
        if let file = report.files.first(where: { $0.outcome == .changing }) {
            return MartletError(
                .missing, "ingest.nothing", "\(file.name) is not taken yet: \(file.warnings.first ?? "it changes").",
                at: .init(file: source.landing), remedy: "Run again when it is complete.")
        }
        let others = report.files.map(\.name) + report.ignored.map(\.name)
        return MartletError(
            .missing, "ingest.nothing",
            "No file of \(source.name) has arrived"
                + (others.isEmpty ? "." : "; \(others.prefix(3).joined(separator: ", ")) is no data."),
            at: .init(file: source.landing), remedy: "Copy a file there\(madeUpRows(of: source)).")
    }

    /// How to make up rows, for a project with the sources of a template that has a generator.
    private func madeUpRows(of source: Project.Source) -> String {
        let templates = [
            ["encounters"]: "readmission", ["readings"]: "downtime",
            ["instrument_telemetry", "queue_logs", "reagent_logs", "workflow_logs"]: "lab-delay",
        ]
        let sources = project.sources.map(\.name).sorted()
        guard let template = templates[sources] else { return "" }
        let target = sources.count == 1 ? "\(source.landing)/look-alikes.csv" : Disk.parent(of: source.landing)
        return ", or make up rows that look alike: `martlet generate \(template) -o \(target)`"
    }

    /// Returns the error that says why a file was rejected.
    package static func refusal(of file: IngestReport.File, _ source: String) -> MartletError {
        var lines = "The file was refused: \(file.refusal ?? "it breaks the contract")."
        for breach in file.breaches.prefix(3) {
            lines += " \(breach.column ?? "line"): \(breach.rule) (\(counted(breach.rows, "row"))"
            if let row = breach.exampleRow { lines += ", first in row \(row)" }
            if let example = breach.example { lines += ": \"\(example.prefix(60))\"" }
            lines += ")."
        }
        for drift in file.drift.prefix(4) where drift.kind != .order { lines += "\n  · \(drift.sentence)" }
        if file.drift.count > 4 { lines += "\n  · and \(file.drift.count - 4) more" }
        let remedy =
            "Nothing of it was taken; its bytes are kept. See `martlet quarantine show \(source)`, compare the file "
            + "with contracts/\(source).yaml."
        let place = MartletError.Location(file: file.name)
        // Too large a share of bad rows is a measure that was missed, as a gate is.
        return file.isBeyondShare
            ? MartletError(.refused, "ingest.refused", lines, at: place, remedy: remedy)
            : MartletError(.input, "ingest.refused", lines, at: place, remedy: remedy)
    }

    private func build(_ item: PlannedTransform, _ journal: Journal) throws {
        try journal.step("transform:\(item.transform.table)") {
            let report = try lake.build(item)
            if report.skipped { return ((), Journal.Note(.skipped, "unchanged")) }
            var detail = counted(report.rows, "row")
            if let computed = report.computed { detail += ", \(grouped(computed)) of them new" }
            if let whole = report.whole { detail += ", built whole: \(whole)" }
            return ((), Journal.Note(.done, detail))
        }
    }

    private func outcome(
        _ specification: ModelSpecification, _ fingerprint: Digest, _ planned: [PlannedTransform],
        _ leaks: TrainingChecks.Leaks, _ journal: Journal, mayTrain: Bool
    ) throws -> RunReport.Model {
        var isNew = true
        var warnings: [String] = []
        var unrestored: [String] = []
        let id = try journal.step("train:\(specification.name)") {
            let same = try finishedTraining(specification, fingerprint)
            // Reading the labelled rows costs something, and most runs find the table as it was.
            let labelled = try same == nil ? labelledFingerprint(specification) : nil
            if let run = try same
                ?? labelled.flatMap({
                    try finishedTraining(specification, onLabelled: $0, now: fingerprint)
                })
            {
                isNew = false
                if try artifactsAreIntact(run) {
                    let what = same == nil ? "no new labelled rows" : "unchanged"
                    return (run, Journal.Note(.skipped, "\(what), run \(run.prefix(12))"))
                }
                do {
                    try restoreArtifacts(of: run, specification, planned, leaks)
                    return (run, Journal.Note(.done, "artifacts of run \(run.prefix(12)) restored"))
                } catch let error as MartletError where mayTrain && error.code == "artifact.missing" {
                    // Another version of Martlet wrote them in another form, or what it knew of leaks was other.
                    isNew = true
                    unrestored = ["\(error.message) It was trained anew."]
                }
            }
            guard mayTrain else {
                throw MartletError(
                    .missing, "run.not-trained",
                    "\(specification.name) has not been trained on the table as it is now.",
                    remedy: "Run without --from, or from an earlier stage.")
            }
            let report = try train(
                specification, fingerprint: fingerprint, labelled: labelled ?? labelledFingerprint(specification),
                planned: planned, leaks: leaks)
            warnings = try unrestored + (checks(ofRun: report.run)?.warnings ?? [])
            let infinite = report.infinite.sorted { $0.key < $1.key }.map { "\($0.key) (\(grouped($0.value)) rows)" }
            let told = infinite.isEmpty ? "" : "; infinite, counted as missing: \(infinite.joined(separator: ", "))"
            return (report.run, Journal.Note(.done, "run \(report.run.prefix(12))\(told)", phases: report.phases))
        }
        let run = try registry.runs.show(id)
        let passed = run.status == .finished
        try journal.step("gates:\(specification.name)") {
            let count = run.gates.count { !$0.passed }
            let detail =
                run.gates.isEmpty
                ? "none asked" : count == 0 ? "\(run.gates.count) passed" : "\(count) of \(run.gates.count) failed"
            return ((), Journal.Note(passed ? isNew ? .done : .skipped : .refused, detail))
        }
        return RunReport.Model(
            name: specification.name, run: id, passed: passed, version: nil, gates: run.gates, leaks: leaks,
            warnings: warnings)
    }

    private func register(
        _ outcome: RunReport.Model, _ policy: ApprovalPolicy, _ journal: Journal
    ) throws -> VersionSummary {
        try journal.step("register:\(outcome.name)") {
            if let twin = try twin(of: outcome.run) {
                let note = "unchanged, same as \(twin.model)@\(twin.version)"
                return (twin, Journal.Note(.skipped, note))
            }
            let registration = try registry.models.register(run: outcome.run, approval: policy)
            let version = registration.version
            try writeCard(version)
            let state =
                version.aliases.isEmpty
                ? version.approval.state == .pending ? "waits for approval" : "no alias"
                : version.aliases.map { "@\($0.rawValue)" }.joined(separator: " ")
            return (
                version,
                Journal.Note(registration.isNew ? .done : .skipped, "\(version.model)@\(version.version), \(state)")
            )
        }
    }
}

extension Workspace {
    /// The version of the run's model that is the same model and says the same of rows, if another run gave it.
    private func twin(of id: String) throws -> VersionSummary? {
        let run = try registry.runs.show(id)
        guard try registry.models.list().contains(where: { $0.model == run.model }) else { return nil }
        let versions = try registry.models.versions(of: run.model)
        if versions.contains(where: { $0.run == run.id }) { return nil }
        // A rejected version can never be promoted: what comes to the same again is for a person to judge anew.
        let alike = versions.filter { $0.modelHash == run.modelHash && $0.approval.state != .rejected }
        guard !alike.isEmpty else { return nil }
        let own = try serving(run)
        return try alike.first { try serving(registry.runs.show($0.run)) == own }
    }

    /// What a version says of rows besides its model: reactions to rows that do not fit, whom a row is about, and what it
    /// is asked of.
    private func serving(_ run: Run) throws -> [String]? {
        func artifact(_ name: String) throws -> [UInt8]? {
            guard let kept = run.artifacts.first(where: { $0.name == name }) else { return nil }
            return try artifacts.intact(kept.digest, name)
        }
        guard let record = try artifact(ArtifactName.record), let blueprint = try artifact(ArtifactName.blueprint)
        else {
            return nil
        }
        let plan = try JSON.decode(ModelRecord.self, from: record).plan
        let model = try JSON.decode(Blueprint.self, from: blueprint).model
        return [try JSON.text(plan.input), plan.entity ?? "", model.key, "\(model.table)"]
    }

    /// The folder of the model cards: one Markdown file a version.
    package var cards: String { home.cards }

    /// Returns the card of a version.
    package func card(_ reference: ModelReference, showsStanding: Bool = true) throws -> ModelCard {
        let version = try registry.models.show(reference)
        return ModelCard(
            version, try load(reference), looks: try registry.runs.looks(atTestPartOf: version.run),
            showsStanding: showsStanding)
    }

    /// Writes a version's card if it is not there.
    private func writeCard(_ version: VersionSummary) throws {
        let path = "\(cards)/\(version.model)-\(version.version).md"
        if Disk.exists(path) { return }
        let reference = ModelReference(model: version.model, selector: .version(version.version))
        let card = try card(reference, showsStanding: false)
        try Disk.makeDirectory(cards)
        _ = try Disk.createDurably(path, Array(card.markdown.utf8))
    }
}
