import CLibrary
import Core
import Forests
import Testing
import Training
import TrainingXGBoost

/// Rows of two numbers and a category, of which the outcome depends.
private struct Rows {
    let matrix: FeatureMatrix
    let labels: [UInt8]

    init(_ count: Int, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let first = (0..<count).map { _ in generator.uniform() * 10 }
        let second = (0..<count).map { $0 % 17 == 0 ? Double.nan : generator.uniform() }
        let codes = (0..<count).map { _ in (generator.uniform() * 12).rounded(.down) }
        labels = (0..<count).map { row in
            let odds = first[row] / 4 + (Int(codes[row]) % 3 == 1 ? 1.5 : -1) - (second[row].isNaN ? 2 : second[row])
            return odds + generator.uniform() * 2 > 1.5 ? 1 : 0
        }
        matrix = FeatureMatrix(
            names: ["first", "second", "code"], categorical: [false, false, true], codes: [0, 0, 12], rows: count,
            values: first + second + codes)
    }
}

@Suite struct `The learner xgboost` {
    private let train = Rows(1500, seed: 1)
    private let held = Rows(400, seed: 2)

    private func learner(
        _ parameters: [String: ParameterValue] = ["max_depth": .number(4), "eta": .number(0.1)], rounds: Int = 40,
        patience: Int = 0
    ) throws -> XGBoostLearner { try XGBoostLearner(parameters: parameters, rounds: rounds, patience: patience) }

    private func fit(_ learner: XGBoostLearner, seed: Int = 42, threads: Int = 1) throws -> FittedModel {
        try learner.fit(
            train.matrix, labels: train.labels, validation: (held.matrix, held.labels), seed: seed, threads: threads)
    }

    @Test func `gives the same bytes for the same input, whatever the threads`() throws {
        let drawing: [String: ParameterValue] = ["subsample": .number(0.7), "colsample_bytree": .number(0.7)]
        let first = try fit(learner(drawing), threads: 1)
        #expect(try fit(learner(drawing), threads: 2).text == first.text)
        #expect(try fit(learner(drawing), seed: 7).text != first.text)
        #expect(first.format == "xgboost-ubj" && first.rounds == 40)
    }

    @Test func `separates rows that it has not seen, with the category`() throws {
        let model = try fit(learner())
        let scores = try XGBoostLearner.descriptor.scorer(model.text, 1).scores(held.matrix)
        var pairs = 0.0
        var right = 0.0
        for positive in held.labels.indices where held.labels[positive] == 1 {
            for negative in held.labels.indices where held.labels[negative] == 0 {
                pairs += 1
                right += scores[positive] > scores[negative] ? 1 : scores[positive] == scores[negative] ? 0.5 : 0
            }
        }
        #expect(right / pairs > 0.9)
        #expect(model.gain.count == 3 && model.gain.allSatisfy { $0 > 0 })
    }

    @Test func `stops where the validation rows are told no better, and keeps the trees until then`() throws {
        let model = try fit(learner(["max_depth": .number(8), "eta": .number(0.5)], rounds: 300, patience: 10))
        let trace = try #require(model.trace)
        let best = try #require(trace.min { $0.validationLogLoss < $1.validationLogLoss })
        #expect(model.rounds == best.round && trace.count == best.round + 10)
        // The loss of what is kept is the one that was noted.
        let scores = try XGBoostLearner.descriptor.scorer(model.text, 1).scores(held.matrix)
        let loss = zip(scores, held.labels).map { -log($1 == 1 ? $0 : 1 - $0) }.reduce(0, +) / 400
        #expect(abs(loss - best.validationLogLoss) < 1e-6)
    }

    @Test func `weighs positives as it is told`() throws {
        func mean(_ weight: Double) throws -> Double {
            let model = try fit(learner(["scale_pos_weight": .number(weight)]))
            return try XGBoostLearner.descriptor.scorer(model.text, 1).scores(held.matrix).reduce(0, +) / 400
        }
        #expect(try mean(8) > mean(1))
    }

    @Test(arguments: [
        ("max_dept", ParameterValue.number(3), "learner.unknown-parameter", "max_depth"),
        ("num_leaves", .number(3), "learner.unknown-parameter", ""),
        ("objective", .text("reg:squarederror"), "learner.reserved-parameter", ""),
        ("n_estimators", .number(3), "learner.reserved-parameter", ""),
        ("nthread", .number(3), "learner.reserved-parameter", ""),
        ("max_depth", .text("deep"), "learner.parameter-value", ""),
        ("max_depth", .number(-3), "learner.parameter-value", ""),
        ("subsample", .number(1.5), "learner.parameter-value", ""),
        ("tree_method", .text("exact"), "learner.parameter-value", ""),
        ("grow_policy", .text("sideways"), "learner.parameter-value", ""),
    ])
    func `refuses parameters with the place of the fault`(
        name: String, value: ParameterValue, code: String, remedy: String
    ) throws {
        let error = #expect(throws: MartletError.self) { _ = try learner([name: value]) }
        #expect(error?.code == code && error?.location?.key == "learner.parameters.\(name)", "\(error?.message ?? "")")
        #expect(remedy.isEmpty || error?.remedy?.contains(remedy) == true)
    }

    @Test func `refuses one parameter under two names`() throws {
        let error = #expect(throws: MartletError.self) {
            _ = try learner(["eta": .number(0.1), "learning_rate": .number(0.2)])
        }
        #expect(error?.code == "learner.parameter-value")
    }

    @Test func `takes values that a float cannot hold, and scores them as the largest`() throws {
        var values = train.matrix.values
        values[0] = 1e300
        values[1] = -1e300
        let matrix = FeatureMatrix(
            names: train.matrix.names, categorical: train.matrix.categorical, codes: train.matrix.codes,
            rows: train.matrix.rows, values: values)
        let model = try learner().fit(matrix, labels: train.labels, validation: nil, seed: 1, threads: 1)
        let scores = try XGBoostLearner.descriptor.scorer(model.text, 1).scores(matrix)
        #expect(model.trace == nil && scores.allSatisfy { $0 > 0 && $0 < 1 })
    }

    @Test func `refuses a damaged file`() throws {
        let file = try fit(learner(rounds: 3)).text
        #expect(throws: MartletError.self) { _ = try XGBoostLearner.descriptor.scorer(Array(file.prefix(200)), 1) }
    }
}
