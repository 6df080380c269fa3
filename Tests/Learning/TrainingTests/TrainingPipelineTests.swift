import Core
import Foundation
import Synchronization
import Testing
import Training

/// A learner whose model is the mean of its first feature in each class.
private struct MeansLearner: Learner {
    let kind = "means"

    func fit(
        _ train: FeatureMatrix, labels: [UInt8], validation: (FeatureMatrix, [UInt8])?, seed: Int, threads: Int
    ) throws -> FittedModel {
        func mean(_ label: UInt8) -> Double {
            let rows = labels.indices.filter { labels[$0] == label }
            return rows.reduce(0) { $0 + train[$1, 0] } / Double(rows.count)
        }
        let gain = (0..<train.columns).map { $0 == 0 ? 1.0 : 0 }
        return FittedModel(text: Array("\(mean(0)) \(mean(1))".utf8), rounds: 1, gain: gain, format: "means")
    }
}

private struct MeansScorer: ModelScorer {
    let middle: Double

    init(_ model: FittedModel) {
        let means = String(decoding: model.text, as: UTF8.self).split(separator: " ").compactMap { Double($0) }
        middle = means.reduce(0, +) / Double(max(1, means.count))
    }

    func scores(_ matrix: FeatureMatrix) -> [Double] {
        (0..<matrix.rows).map { 1 / (1 + exp(middle - matrix[$0, 0])) }
    }
}

private final class PhaseList: PhaseMeter {
    let names = Mutex<[String]>([])

    func measure<Result>(_ phase: String, _ body: () throws -> Result) rethrows -> Result {
        names.withLock { $0.append(phase) }
        return try body()
    }
}

@Suite struct `a training` {
    /// 600 rows of 150 groups; every tenth has no label.
    private static let input: TrainingInput<UInt8> = {
        let keys = (0..<600).map { "k\($0)" }
        let x = keys.map { portableUniform(seed: 1, key: $0) * 6 - 3 }
        let noise = keys.map { portableUniform(seed: 2, key: $0) }
        let labels = x.indices.map { row -> UInt8? in
            row % 10 == 9 ? nil : noise[row] < 1 / (1 + exp(-x[row])) ? 1 : 0
        }
        let letters = NamedColumn("letter", .category(codes: (0..<600).map { Int32($0 % 3) }, levels: ["c", "a", "b"]))
        return TrainingInput(
            columns: [NamedColumn("x", .number(x)), letters], labels: labels, keys: keys,
            groups: (0..<600).map { "g\($0 / 4)" })
    }()

    private static let plan = TrainingPlan(
        split: SplitPlan(kind: .hash, train: 0.6, validation: 0.2, test: 0.2),
        crossValidation: CrossValidationPlan(folds: 3), learner: LearnerPlan(kind: "means"),
        task: BinaryTask(
            calibration: .platt, threshold: .cost(Costs(falseNegative: 3, falsePositive: 1)),
            bands: RiskBands(medium: 0.3, high: 0.6)),
        gates: [
            QualityGate(.rocAUC, atLeast: 0.75), QualityGate(.rocAUC, part: .cv, atLeast: 0.99),
            QualityGate(.brier, part: .validation, atMost: 0.25),
        ],
        bootstrap: Bootstrap(replicates: 200))

    private func train(_ input: TrainingInput<UInt8> = input, _ plan: TrainingPlan = plan) throws -> TrainedModel {
        let task = try #require(plan.task as? BinaryTask)
        return try TrainingPipeline(plan: plan, task: task, learner: MeansLearner()) { MeansScorer($0) }.train(input)
    }

    @Test func `reports parts, metrics with intervals and gates`() throws {
        let model = try train()
        let record = model.record
        #expect(record.unlabelled == 60)
        #expect(record.parts.values.reduce(0) { $0 + $1.rows } == 540)
        #expect(model.parts.count { $0 == nil } == 60)
        #expect(model.testRows == model.parts.indices.filter { model.parts[$0] == .test })
        #expect(model.testOutcomes.count == record.test.rows)
        let auc = record.test[.rocAUC]
        #expect(try #require(auc.low) < #require(auc.value))
        #expect(try #require(auc.value) < #require(auc.high))
        #expect(record.gates.map(\.passed) == [true, false, true])
        #expect(!record.passed)
        #expect(record.importance.map(\.name) == ["x", "letter"])
        #expect(record.validation?[.rocAUC].low == nil)
        #expect(record.crossValidation?[.rocAUC]?.folds.count == 3)
    }

    @Test func `gives the same record twice and reads it back`() throws {
        let one = try train().record
        #expect(try json(one) == json(try train().record))
        #expect(try json(roundTrip(one)) == json(one))
    }

    @Test func `knows what its training rows had, and the record of before has no ranges`() throws {
        let model = try train()
        let range = try #require(model.record.ranges?["x"])
        guard case .number(let x) = Self.input.columns[0].column else { return }
        let seen = model.parts.indices.filter { model.parts[$0] == .train }.map { x[$0] }
        #expect(range == ColumnRange(minimum: seen.min() ?? 0, maximum: seen.max() ?? 0))
        #expect(model.record.ranges?.count == 1, "a category has no range")
        guard case .object(var members) = JSONValue(parsing: try JSON.encode(model.record)) else { return }
        members["ranges"] = nil
        let old = try JSON.decode(ModelRecord.self, from: try JSON.encode(JSONValue.object(members)))
        #expect(old.ranges == nil && old.plan.input == nil && old.signature == model.record.signature)
    }

    @Test func `refuses an input policy for columns that it does not have, and bounds that nothing can keep`() throws {
        for (name, least, greatest, code) in [
            ("xx", nil, nil, "training.input-column"), ("letter", 1, nil, "training.input-bounds"),
            ("x", 2, 1, "training.input-bounds"),
        ] as [(String, Double?, Double?, String)] {
            var plan = Self.plan
            var column = InputPolicy.Column()
            (column.minimum, column.maximum) = (least, greatest)
            plan.input = InputPolicy()
            plan.input?.columns = [name: column]
            let error = #expect(throws: MartletError.self) { try train(Self.input, plan) }
            #expect(error?.code == code)
        }
    }

    @Test func `does not learn from test rows`() throws {
        let model = try train()
        var altered = Self.input
        for row in model.testRows { altered.labels[row] = altered.labels[row].map { 1 - $0 } }
        var plan = Self.plan
        plan.crossValidation = nil
        plan.gates = []
        let other = try train(altered, plan)
        #expect(other.fitted.text == model.fitted.text)
        #expect(try other.record.binaryRule() == model.record.binaryRule())
        #expect(try json(other.record.test) != json(model.record.test))
    }

    @Test func `predicts new rows as it scored the test rows`() throws {
        let model = try train()
        let scorer = MeansScorer(model.fitted)
        let outcomes = try model.record.outcomes(Self.input.columns, scorer: scorer)
        let all = outcomes.compactMap { $0 as? BinaryOutcome }
        let threshold = try model.record.binaryRule().threshold.value
        #expect(all.count == Self.input.keys.count)
        #expect(model.testRows.map { all[$0].probability } == model.testOutcomes.map(\.score))
        #expect(all.allSatisfy { $0.positive == ($0.probability >= threshold) })
        #expect(Set(all.compactMap(\.band)).count > 1)
    }

    @Test func `keeps up to 64 test rows from the lowest to the highest probability`() throws {
        let model = try train()
        let samples = SamplePredictions(of: model, columns: Self.input.columns)
        #expect(samples.records.count == min(64, model.testRows.count))
        #expect(samples.scores == samples.scores.sorted())
        #expect(samples.scores.first == model.testOutcomes.map(\.score).min())
        #expect(samples.scores.last == model.testOutcomes.map(\.score).max())
        #expect(samples.records.allSatisfy { Set($0.keys) == ["x", "letter"] })
    }

    @Test func `tells of infinite numbers, which count as missing`() throws {
        var input = Self.input
        guard case .number(var x) = input.columns[0].column else { return }
        let clean = try train().record
        #expect(clean.infinite == nil)
        let z = (0..<x.count).map { $0 % 7 == 0 ? Double.infinity : $0 % 11 == 0 ? -Double.infinity : 1 }
        x[0] = 3
        input.columns.append(NamedColumn("z", .number(z)))
        let model = try train(input)
        #expect(model.record.infinite == ["z": z.count { $0.isInfinite }])
        #expect(model.record.ranges?["z"] == ColumnRange(minimum: 1, maximum: 1))
        let samples = SamplePredictions(of: model, columns: input.columns)
        #expect(samples.records.contains { $0["z"] == .null })
    }

    @Test func `gives importance as shares of the whole gain`() throws {
        let shares = try train().record.importance.map(\.share)
        #expect(abs(shares.reduce(0, +) - 1) < 1e-12)
    }

    @Test func `works without held-out rows where nothing needs them`() throws {
        var plan = Self.plan
        plan.split = SplitPlan(kind: .hash, train: 0.8, validation: 0, test: 0.2)
        plan.task = BinaryTask()
        plan.gates = []
        let record = try train(Self.input, plan).record
        #expect(record.validation == nil)
        let rule = try record.binaryRule()
        #expect(rule.calibration == .none && rule.threshold.value == 0.5)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let code: String
        let change: @Sendable (inout TrainingPlan, inout TrainingInput<UInt8>) -> Void
        var testDescription: String { code }
    }

    private static let noValidation = SplitPlan(kind: .hash, train: 0.8, validation: 0, test: 0.2)

    @Test(arguments: [
        Refusal(code: "split.no-validation") { plan, _ in plan.split = noValidation },
        Refusal(code: "split.no-validation") { plan, _ in
            plan.split = noValidation
            plan.task = BinaryTask(threshold: .cost(Costs(falseNegative: 3, falsePositive: 1)))
        },
        Refusal(code: "split.no-validation") { plan, _ in
            plan.split = noValidation
            plan.task = BinaryTask()
            plan.learner.earlyStopping = 10
        },
        Refusal(code: "gate.no-cross-validation") { plan, _ in plan.crossValidation = nil },
        Refusal(code: "gate.no-bound") { plan, _ in plan.gates = [QualityGate(.f1)] },
        Refusal(code: "gate.unknown-metric") { plan, _ in plan.gates = [QualityGate(Metric("rmse"), atMost: 1)] },
        Refusal(code: "cross-validation.folds") { plan, _ in plan.crossValidation = .init(folds: 1) },
        Refusal(code: "threshold.range") { plan, _ in plan.task = BinaryTask(threshold: .fixed(2)) },
        Refusal(code: "training.duplicate-key") { _, input in input.keys[1] = "k0" },
        Refusal(code: "training.ragged") { _, input in input.keys.removeLast() },
        Refusal(code: "training.single-class") { _, input in input.labels = input.labels.map { _ in 1 } },
        Refusal(code: "training.single-class") { _, input in input.labels = input.labels.map { _ in nil } },
    ])
    func `refuses what cannot be carried out`(_ refusal: Refusal) {
        var plan = Self.plan
        var input = Self.input
        refusal.change(&plan, &input)
        let error = #expect(throws: MartletError.self) { try train(input, plan) }
        #expect(error?.code == refusal.code)
    }

    @Test func `books every phase with the meter`() throws {
        let meter = PhaseList()
        let task = try #require(Self.plan.task as? BinaryTask)
        _ = try TrainingPipeline(plan: Self.plan, task: task, learner: MeansLearner(), meter: meter) {
            MeansScorer($0)
        }.train(Self.input)
        let names = meter.names.withLock { $0 }
        #expect(names.count { $0 == "fit" } == 4)
        #expect(Set(names) == ["split", "signature", "encode", "fit", "score", "calibrate", "evaluate"])
    }
}
