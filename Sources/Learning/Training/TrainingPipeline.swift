internal import Core

/// Trains and evaluates a model of any task: split, signature, fit, outcome rule (for a binary model calibration and
/// threshold), evaluation, gates.
///
/// ```swift
/// let pipeline = try TrainingPipeline(plan: plan, task: task, learner: learner, makeScorer: { try makeScorer($0.text) })
/// let trained = try pipeline.train(input)
/// ```
///
/// Needs rows ordered by their unique key, and a learner that is deterministic. Gives the same result for the same
/// input and plan.
///
/// Refuses a plan that needs held-out rows it does not have.
package struct TrainingPipeline<Task: PredictionTask> {
    private let plan: TrainingPlan
    private let task: Task
    private let learner: any Learner<Task.Label>
    private let makeScorer: (FittedModel) throws -> any ModelScorer
    private let meter: any PhaseMeter
    private let threads: Int
    private let coding: Signature.Coding

    /// Configures a pipeline. Throws for a learner of another task.
    /// - Parameters:
    ///   - task: the plan's.
    ///   - coding: of missing and pooled categories; another than the default only when an older version is rebuilt.
    ///   - makeScorer: loads the model that the learner fitted.
    package init(
        plan: TrainingPlan, task: Task, learner: any Learner, threads: Int = 1, meter: any PhaseMeter = NoMeter(),
        coding: Signature.Coding = .outside,
        makeScorer: @escaping (FittedModel) throws -> any ModelScorer
    ) throws {
        guard let learner = learner as? any Learner<Task.Label> else {
            throw LearnerCatalogue.unfit(learner.kind, for: Task.descriptor.name)
        }
        self.plan = plan
        self.task = task
        self.learner = learner
        self.threads = threads
        self.meter = meter
        self.coding = coding
        self.makeScorer = makeScorer
    }

    /// Trains on the labelled rows and returns the evaluated model.
    ///
    /// Throws when the plan needs held-out rows that the input does not have.
    package func train(_ input: TrainingInput<Task.Label>) throws -> TrainedModel {
        try plan.check()
        let (labelled, rows, assigned) = try meter.measure("split") {
            try input.check()
            let labelled = input.labels.indices.filter { input.labels[$0] != nil }
            let rows = input.splitRows(labelled, classes: try Task.classes(of: labels(input, labelled)))
            return (labelled, rows, try Split.parts(of: rows, by: plan.split))
        }
        let members = Members(parts: assigned, labelled: labelled)
        let trial = try fit(input, members)
        let test = try score(trial, input, members.test)
        let evaluation = try evaluate(trial, input, members.test, test, bootstrap: plan.bootstrap)
        let validation = try trial.validation.map { p in
            try evaluate(trial, input, members.validation, p, bootstrap: nil)
        }
        let folds = try crossValidate(input, labelled, rows)
        var parts = [SplitPart?](repeating: nil, count: input.labels.count)
        for (place, row) in labelled.enumerated() { parts[row] = assigned[place] }
        let record = ModelRecord(
            plan: plan, signature: trial.signature, rule: trial.rule, format: trial.fitted.format,
            rounds: trial.fitted.rounds, parts: members.parts.mapValues { Task.size(of: labels(input, $0)) },
            unlabelled: input.labels.count - labelled.count, test: evaluation,
            validation: validation, crossValidation: folds,
            gates: plan.gates.map { judge($0, evaluation, validation, folds) }, importance: importance(trial),
            ranges: ColumnRange.learn(input.columns, rows: members.train), infinite: infinities(input.columns))
        return TrainedModel(
            record: record, fitted: trial.fitted, parts: parts, testRows: members.test, testOutcomes: test)
    }

    /// Row indices of each part.
    private struct Members {
        var train: [Int] = []
        var validation: [Int] = []
        var test: [Int] = []

        init(parts: [SplitPart], labelled: [Int]) {
            for (place, row) in labelled.enumerated() {
                switch parts[place] {
                case .train: train.append(row)
                case .validation: validation.append(row)
                case .test: test.append(row)
                }
            }
        }

        init(_ fold: Fold, labelled: [Int]) {
            train = fold.train.map { labelled[$0] }
            validation = fold.validation.map { labelled[$0] }
            test = fold.test.map { labelled[$0] }
        }

        var parts: [String: [Int]] { ["train": train, "validation": validation, "test": test] }
    }

    /// One fitted model with its outcome rule.
    private struct Trial {
        let signature: Signature
        let matrix: FeatureMatrix
        let fitted: FittedModel
        let scorer: any ModelScorer
        let rule: Task.Rule
        /// Outcomes of the validation rows.
        let validation: [Task.Rule.Outcome]?
    }

    private func fit(_ input: TrainingInput<Task.Label>, _ members: Members) throws -> Trial {
        let signature = try meter.measure("signature") {
            try Signature.learn(
                input.columns, trainRows: members.train, rareBelow: plan.rareBelow, missing: plan.missing,
                coding: coding)
        }
        try plan.input?.check(signature)
        let (matrix, train, validation) = try meter.measure("encode") {
            let matrix = try signature.encode(input.columns)
            let validation = members.validation.isEmpty ? nil : matrix.rows(members.validation)
            return (matrix, matrix.rows(members.train), validation)
        }
        let validationLabels = labels(input, members.validation)
        let fitted = try meter.measure("fit") {
            try learner.fit(
                train, labels: labels(input, members.train), validation: validation.map { ($0, validationLabels) },
                seed: plan.learner.seed, threads: threads)
        }
        let scorer = try makeScorer(fitted)
        let raw = try validation.map { matrix in try meter.measure("score") { try scorer.scores(matrix) } }
        return try meter.measure("calibrate") {
            let rule = try task.rule(labels: validationLabels, scores: raw)
            return Trial(
                signature: signature, matrix: matrix, fitted: fitted, scorer: scorer, rule: rule,
                validation: try raw.map { try rule.outcomes(of: $0) })
        }
    }

    private func score(
        _ trial: Trial, _ input: TrainingInput<Task.Label>, _ rows: [Int]
    ) throws -> [Task.Rule.Outcome] {
        let matrix = meter.measure("encode") { trial.matrix.rows(rows) }
        let raw = try meter.measure("score") { try trial.scorer.scores(matrix) }
        let outcomes = try meter.measure("calibrate") { try trial.rule.outcomes(of: raw) }
        guard outcomes.count == rows.count else {
            throw MartletError(
                .defect, "training.scores", "the model gave \(outcomes.count) outcomes for \(rows.count) rows")
        }
        return outcomes
    }

    private func evaluate(
        _ trial: Trial, _ input: TrainingInput<Task.Label>, _ rows: [Int], _ outcomes: [Task.Rule.Outcome],
        bootstrap: Bootstrap?
    ) throws -> Task.Report {
        try meter.measure("evaluate") {
            try task.evaluate(
                outcomes, labels: labels(input, rows), by: trial.rule,
                groups: input.groups.map { groups in rows.map { groups[$0] } }, bootstrap: bootstrap)
        }
    }

    /// A fit per fold over all labelled rows.
    private func crossValidate(
        _ input: TrainingInput<Task.Label>, _ labelled: [Int], _ rows: SplitRows
    ) throws -> CrossValidationResult? {
        guard let folding = plan.crossValidation else { return nil }
        let folds = try meter.measure("split") { try Split.folds(of: rows, folding, under: plan.split) }
        return CrossValidationResult(
            try folds.map { fold in
                let members = Members(fold, labelled: labelled)
                let trial = try fit(input, members)
                let outcomes = try score(trial, input, members.test)
                return try evaluate(trial, input, members.test, outcomes, bootstrap: nil)
            }, of: Task.descriptor.metrics)
    }

    private func labels(_ input: TrainingInput<Task.Label>, _ rows: [Int]) -> [Task.Label] {
        rows.compactMap { input.labels[$0] }
    }

    private func judge(
        _ gate: QualityGate, _ test: Task.Report, _ validation: Task.Report?, _ folds: CrossValidationResult?
    ) -> GateResult {
        switch gate.part {
        case .test: gate.judge(test[gate.metric])
        case .validation: gate.judge(validation?[gate.metric])
        case .cv: gate.judge(folds?[gate.metric].map { Estimate($0.mean) })
        }
    }

    /// How many rows of each number column are infinite, which count as missing; `nil` if none are.
    private func infinities(_ columns: [NamedColumn]) -> [String: Int]? {
        var found: [String: Int] = [:]
        for named in columns {
            guard case .number(let values) = named.column else { continue }
            let count = values.count { $0.isInfinite }
            if count > 0 { found[named.name] = count }
        }
        return found.isEmpty ? nil : found
    }

    private func importance(_ trial: Trial) -> [ModelRecord.Importance] {
        let gain = trial.fitted.gain
        let whole = gain.reduce(0, +)
        return zip(trial.signature.columns, gain)
            .map { .init(name: $0.name, share: whole > 0 ? $1 / whole : 0) }
            .sorted { $0.share != $1.share ? $0.share > $1.share : $0.name < $1.name }
    }
}
