internal import Core
internal import Lakehouse
internal import Projects
internal import Registry
internal import SQLLineage
internal import Storage
internal import Training

// Training one model: gold table → matrix → fitted, calibrated, evaluated → a recorded run.
// Needs the model's table and its ancestors to be built. Refuses targets that do not fit the model's task.
// (5) The fingerprint covers content hashes, specification, seed and library; thread counts stay out of it.

/// Result of training a model.
struct TrainReport: Sendable {
    var run: String
    var rows: Int
    var passed: Bool
    var phases: [String: Double]
    /// Number of infinite values in each numeric column.
    var infinite: [String: Int] = [:]
}

/// File names of the artifacts that a run stores.
package enum ArtifactName {
    /// The learner's model file in its native format: "model.txt" for "lightgbm-text", "model.ubj" for "xgboost-ubj".
    package static func model(in format: String) -> String {
        let kind = format.split(separator: "-").last ?? "bin"
        return "model." + (kind == "text" ? "txt" : kind)
    }
    /// Model record: signature, outcome rule, evaluation.
    package static let record = "model.json"
    /// Key, part and label of every row, and the scores of the test rows.
    package static let scores = "scores.parquet"
    /// Test rows with their predictions, which a server verifies before it answers.
    package static let samples = "samples.json"
    /// Specification and SQL to rebuild the version from.
    package static let blueprint = "blueprint.json"
    /// Leak checks of the features, see ``TrainingChecks``.
    package static let checks = "checks.json"
}

extension Workspace {
    /// What decides the outcome of training this model now: the content of the whole table, which is known without
    /// reading it.
    func trainingFingerprint(_ specification: ModelSpecification) throws -> Digest {
        try fingerprint(specification, "training 1", try lake.reference(to: specification.table).hash)
    }

    /// The same by the content of the rows that have a label: rows without one train nothing. Reads the table.
    /// - Parameter scheme: of the content hash; an earlier one to find runs that an earlier program recorded.
    func labelledFingerprint(_ specification: ModelSpecification, by scheme: ContentHash.Scheme = .h2) throws -> Digest
    {
        let name = specification.table
        let files = try lake.files(of: name)
        func whole() throws -> ContentHash {
            let stated = try lake.reference(to: name).hash
            return try stated.scheme == scheme ? stated : lake.engine.contentHash(of: files, by: scheme)
        }
        let table = TrainingTable(model: specification, engine: lake.engine, files: files)
        guard let condition = try table.isLabelled() else {
            return try fingerprint(specification, "training 1", whole())
        }
        let others = try lake.engine.texts(
            Query("SELECT count(*) FROM \(name) WHERE NOT (\(condition))", inputs: [name: files]), limit: nil)
        // Where every row has a label, the table's own hash says it, and one column is all that is read.
        let isWhole = others.rows.first?.first == "0"
        let hash = try isWhole ? whole() : lake.engine.contentHash(of: files, where: condition, by: scheme)
        return try fingerprint(specification, "training 2", hash)
    }

    private func fingerprint(_ specification: ModelSpecification, _ form: String, _ hash: ContentHash) throws -> Digest
    {
        let library = try learners.library(of: specification.plan.learner)
        return Digest(of: "\(form)\n\(library)\n\(hash)\n\(try JSON.text(specification))")
    }

    /// The run that trained this model on the table as it is, if there is one; the newest, should there be several.
    func finishedTraining(_ specification: ModelSpecification, _ fingerprint: Digest) throws -> String? {
        let step = "train:\(specification.name)"
        if let result = try registry.steps.finishedResult(of: step, fingerprint: fingerprint) {
            return try JSON.decode([String: String].self, from: result)["run"]
        }
        return try registry.runs.find(model: specification.name, fingerprint: fingerprint)
    }

    /// The run that trained this model on the same labelled rows, though the table has others beside them now.
    func finishedTraining(_ specification: ModelSpecification, onLabelled labelled: Digest, now fingerprint: Digest)
        throws -> String?
    {
        let name = specification.name
        let run =
            try registry.runs.find(model: name, fingerprint: labelled)
            ?? registry.runs.find(model: name, fingerprint: labelledFingerprint(specification, by: .h1))
        guard let run else { return nil }
        try registry.steps.finish(completion(specification, fingerprint, run))
        return run
    }

    private func completion(_ specification: ModelSpecification, _ fingerprint: Digest, _ run: String) throws
        -> StepCompletion
    {
        StepCompletion(
            step: "train:\(specification.name)", fingerprint: fingerprint, result: try JSON.text(["run": run]))
    }

    /// Whether everything that a run stored is still what it was.
    func artifactsAreIntact(_ run: String) throws -> Bool {
        try registry.runs.show(run).artifacts.allSatisfy { try artifacts.intact($0.digest, $0.name) != nil }
    }

    /// Trains again to bring back the bytes that a run stored.
    /// - Throws: `artifact.missing` when the result is not what it was.
    func restoreArtifacts(
        of run: String, _ specification: ModelSpecification, _ planned: [PlannedTransform],
        _ leaks: TrainingChecks.Leaks
    ) throws {
        // Beside the rows that it learned from there may be others by now, without a label.
        let recorded = try registry.runs.show(run).lineage.tables.first { $0.name == specification.table.description }
        let files = try lake.files(of: specification.table, at: recorded?.snapshot)
        func restore<Task: PredictionTask>(_ task: Task) throws {
            let (input, trained) = try fit(
                task, specification, files: files, CPUMeter(cpuSeconds), coding: try storedCoding(of: run))
            _ = try store(trained, task, input, specification, planned, leaks)
        }
        try restore(specification.plan.task)
        guard try artifactsAreIntact(run) else {
            throw MartletError(
                .input, "artifact.missing",
                "Artifacts of run \(run.prefix(12)) are gone or altered, and training again did not bring them back.",
                remedy: "Restore \(artifacts.folder) from a backup.")
        }
    }

    /// How the signature that a run stored gives codes, if it can be read still.
    private func storedCoding(of run: String) throws -> Signature.Coding {
        guard let artifact = try registry.runs.show(run).artifacts.first(where: { $0.name == ArtifactName.record }),
            let bytes = try artifacts.intact(artifact.digest, artifact.name)
        else { return .outside }
        return try Stored.read(ModelRecord.self, bytes, "\(artifact.name) of run \(run.prefix(12))").signature.coding
    }

    /// Trains a model and records the run with its step.
    ///
    /// - Parameters:
    ///   - fingerprint: of the table as it is; the step is finished for it.
    ///   - labelled: of its labelled rows; the run goes by it.
    func train(
        _ specification: ModelSpecification, fingerprint: Digest, labelled: Digest, planned: [PlannedTransform],
        leaks: TrainingChecks.Leaks
    ) throws -> TrainReport {
        try train(
            specification.plan.task, specification, fingerprint: fingerprint, labelled: labelled, planned: planned,
            leaks: leaks)
    }

    private func train<Task: PredictionTask>(
        _ task: Task, _ specification: ModelSpecification, fingerprint: Digest, labelled: Digest,
        planned: [PlannedTransform], leaks: TrainingChecks.Leaks
    ) throws -> TrainReport {
        let lineage = try lineage(of: specification.table, in: planned)
        let meter = CPUMeter(cpuSeconds)
        let started = context.now()
        // A configuration that does not fit the table leaves no run behind.
        let learner = try inSentences(specification) { try learners.make(specification.plan) }
        let input = try read(task, specification, files: lake.files(of: specification.table), meter)
        var run = Run(
            id: context.newID(), experiment: project.name, model: specification.name, status: .running,
            started: started, actor: actor, seed: specification.plan.split.seed, fingerprint: labelled,
            synthetic: lineage.files.contains { $0.synthetic })
        let hold = try registry.runs.begin(run)
        defer { withExtendedLifetime(hold) {} }
        do {
            let trained = try fit(task, specification, to: input, learner, meter)
            run.status = trained.record.passed ? .finished : .rejected
            run.lineage = lineage
            run.params = parameters(of: specification)
            run.metrics = Registry.Metrics(metrics(of: trained.record))
            run.gates = trained.record.gates.flatMap { gateResults($0) }
            run.modelHash = try modelHash(trained)
            run.artifacts = try meter.measure("store") {
                try store(trained, task, input, specification, planned, leaks)
            }
            run.ended = context.now()
            try registry.runs.record(
                run,
                finishing: try completion(specification, fingerprint, run.id))
            return TrainReport(
                run: run.id, rows: input.labels.count, passed: trained.record.passed, phases: meter.seconds,
                infinite: trained.record.infinite ?? [:])
        } catch {
            run.status = .failed
            run.error = (error as? MartletError)?.message ?? "\(error)"
            do { try registry.runs.record(run) } catch let second {
                // What went wrong first is what the person needs to see; a run that is not recorded counts as interrupted.
                let both = [error, second].compactMap { $0 as? MartletError }
                throw both.count == 2 ? MartletError.first(of: both) ?? error : error
            }
            throw error
        }
    }

    /// Reads a table and fits the model to it; stores nothing.
    func fit<Task: PredictionTask>(
        _ task: Task, _ specification: ModelSpecification, files: [String], _ meter: CPUMeter,
        coding: Signature.Coding = .outside
    ) throws -> (input: TrainingInput<Task.Label>, trained: TrainedModel) {
        let input = try read(task, specification, files: files, meter)
        let learner = try inSentences(specification) { try learners.make(specification.plan) }
        return (input, try fit(task, specification, to: input, learner, meter, coding: coding))
    }

    private func read<Task: PredictionTask>(
        _ task: Task, _ specification: ModelSpecification, files: [String], _ meter: CPUMeter
    ) throws -> TrainingInput<Task.Label> {
        let table = TrainingTable(model: specification, engine: lake.engine, files: files)
        return try inSentences(specification) { try meter.measure("read") { try table.read(for: Task.self) } }
    }

    private func fit<Task: PredictionTask>(
        _ task: Task, _ specification: ModelSpecification, to input: TrainingInput<Task.Label>,
        _ learner: any Learner, _ meter: CPUMeter, coding: Signature.Coding = .outside
    ) throws -> TrainedModel {
        try inSentences(specification) {
            let pipeline = try TrainingPipeline(
                plan: specification.plan, task: task, learner: learner, threads: trainingThreads, meter: meter,
                coding: coding, makeScorer: { try learners.scorer(of: $0.format, $0.text, threads: trainingThreads) })
            return try pipeline.train(input)
        }
    }

    /// Reports training errors in whole sentences, with the model concerned.
    func inSentences<T>(_ specification: ModelSpecification, _ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as MartletError {
            throw error.sentence(at: .init(file: "martlet.yaml", key: "models.\(specification.name)"))
        }
    }

    /// The hash of the canonical model: the learner's text and everything that turns it into decisions.
    func modelHash(_ trained: TrainedModel) throws -> Digest {
        let record = trained.record
        var bytes = trained.fitted.text
        bytes.append(10)
        bytes += try JSON.encode(record.signature)
        bytes += try record.rule.canonicalBytes()
        return Digest(of: bytes)
    }

    private func store<Task: PredictionTask>(
        _ trained: TrainedModel, _ task: Task, _ input: TrainingInput<Task.Label>,
        _ specification: ModelSpecification, _ planned: [PlannedTransform], _ leaks: TrainingChecks.Leaks
    ) throws -> [Artifact] {
        var artifacts: [Artifact] = []
        func keep(_ name: String, _ mediaType: String, _ bytes: [UInt8]) throws {
            artifacts.append(
                Artifact(name: name, digest: try self.artifacts.put(bytes), bytes: bytes.count, mediaType: mediaType))
        }
        let file = ArtifactName.model(in: trained.record.format)
        try keep(file, file.hasSuffix(".txt") ? "text/plain" : "application/octet-stream", trained.fitted.text)
        try keep(ArtifactName.record, "application/json", try JSON.encode(trained.record, pretty: true))
        let built = ancestry(of: specification.table, in: planned).built
        let blueprint = Blueprint(
            model: specification,
            transforms: built.map {
                StoredTransform(
                    table: $0.transform.table, file: relative($0.transform.file), sql: $0.transform.sql,
                    orderedBy: $0.transform.incremental?.by)
            })
        try keep(ArtifactName.blueprint, "application/json", try JSON.encode(blueprint, pretty: true))
        try keep(
            ArtifactName.samples, "application/json",
            try JSON.encode(SamplePredictions(of: trained, columns: input.columns), pretty: true))
        let train = trained.parts.indices.filter { trained.parts[$0] == .train }
        let checks = TrainingChecks(
            leaks: leaks, telltales: Task.suspects(input.columns, labels: input.labels, rows: train))
        try keep(ArtifactName.checks, "application/json", try JSON.encode(checks, pretty: true))
        try keep(ArtifactName.scores, "application/vnd.apache.parquet", try scores(trained, input))
        return artifacts
    }

    private func relative(_ path: String) -> String {
        path.hasPrefix(project.folder + "/") ? String(path.dropFirst(project.folder.utf8.count + 1)) : path
    }

    /// Every row's key, part and label, and the score of the test rows.
    private func scores<Label>(_ trained: TrainedModel, _ input: TrainingInput<Label>) throws -> [UInt8] {
        let names = SplitPart.allCases.map(\.name)
        var scores = [Double](repeating: .nan, count: input.keys.count)
        for (row, outcome) in zip(trained.testRows, trained.testOutcomes) { scores[row] = outcome.score }
        return try withScratch { folder in
            let file = "\(folder)/scores.parquet"
            _ = try lake.engine.write(
                [
                    ("key", .text(codes: input.keys.indices.map { Int32($0) }, levels: input.keys)),
                    (
                        "part",
                        .text(codes: trained.parts.map { Int32($0.map { Int($0.rawValue) } ?? -1) }, levels: names)
                    ),
                    ("label", LakeColumn(input.labels.map { $0?.cell ?? .null }, of: Label.kind)),
                    (trained.record.rule.columns.first?.name ?? "score", .number(scores)),
                ], into: file)
            return try Disk.read(file)
        }
    }

    private func parameters(of specification: ModelSpecification) -> [String: String] {
        let plan = specification.plan
        var params: [String: String] = [
            "learner": plan.learner.kind, "learner.seed": "\(plan.learner.seed)",
            "split.kind": plan.split.kind.rawValue,
            "split.seed": "\(plan.split.seed)", "split.train": "\(plan.split.train)",
            "split.validation": "\(plan.split.validation)", "split.test": "\(plan.split.test)",
            "features.rare_below": "\(plan.rareBelow)", "features.missing": plan.missing.rawValue,
            "table": "\(specification.table)",
        ]
        if let rounds = plan.learner.rounds { params["learner.rounds"] = "\(rounds)" }
        if plan.learner.earlyStopping > 0 { params["learner.early_stopping"] = "\(plan.learner.earlyStopping)" }
        for (name, value) in plan.learner.parameters { params["learner.\(name)"] = "\(value)" }
        return params.merging(plan.task.parameters) { own, _ in own }
    }

    private func metrics(of record: ModelRecord) -> [Registry.Metric] {
        var metrics: [Registry.Metric] = []
        func add(_ part: String, _ evaluation: any Evaluation) {
            let measured = evaluation.metrics.map { (name: $0.key.rawValue, estimate: $0.value) }
            for (name, estimate) in measured.sorted(by: { $0.name < $1.name }) + evaluation.figures {
                metrics.append(
                    Registry.Metric(
                        part: part, name: name, value: estimate.value, low: estimate.low, high: estimate.high))
            }
        }
        add("test", record.test)
        if let validation = record.validation { add("validation", validation) }
        for (name, summary) in (record.crossValidation?.metrics ?? [:]).sorted(by: { $0.key < $1.key }) {
            metrics.append(Registry.Metric(part: "cv", name: name, value: summary.mean))
            for (fold, value) in summary.folds.enumerated() {
                metrics.append(Registry.Metric(part: "cv", name: name, value: value, fold: fold))
            }
        }
        return metrics
    }

    private func gateResults(_ gate: Training.GateResult) -> [Registry.GateResult] {
        var results: [Registry.GateResult] = []
        if let bound = gate.atLeast {
            results.append(
                .init(
                    part: gate.part.rawValue, metric: gate.metric, comparator: .atLeast, bound: bound,
                    value: gate.value))
        }
        if let bound = gate.atMost {
            results.append(
                .init(
                    part: gate.part.rawValue, metric: gate.metric, comparator: .atMost, bound: bound,
                    value: gate.value, judged: gate.judged))
        }
        return results
    }
}

extension CPUMeter: PhaseMeter {}
