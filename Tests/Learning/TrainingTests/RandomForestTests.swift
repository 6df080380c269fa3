import Core
import Testing
import Training

private struct Reference: Decodable {
    struct Options: Decodable {
        let criterion: String?
        let max_depth: Double?
        let n_estimators: Double?
        let min_samples_leaf: Double?
        let min_samples_split: Double?
        let class_weight: String?

        var parameters: [String: ParameterValue] {
            let numbers = [
                "max_depth": max_depth, "n_estimators": n_estimators, "min_samples_leaf": min_samples_leaf,
                "min_samples_split": min_samples_split,
            ]
            let texts = ["criterion": criterion, "class_weight": class_weight]
            return numbers.compactMapValues { $0.map { .number($0) } }
                .merging(texts.compactMapValues { $0.map { .text($0) } }) { one, _ in one }
        }
    }

    struct Tree: Decodable {
        let options: Options
        let probabilities: [Double]
    }

    let x: [[Double?]]
    let y: [UInt8]
    let keys: [String]
    let trees: [Tree]
    let options: Options
    let roc_auc: Double
    let log_loss: Double
    let accuracy: Double
    let importance: [Double]
    let levels: [Int32]
    let level_labels: [UInt8]
    let stump: [Double]

    var matrix: FeatureMatrix {
        FeatureMatrix(
            names: x.indices.map { "x\($0)" }, categorical: x.map { _ in false }, codes: x.map { _ in 0 },
            rows: y.count, values: x.flatMap { $0.map { $0 ?? .nan } })
    }
}

@Suite struct `a random forest` {
    private let reference: Reference

    init() throws { reference = try fixture("forest") }

    @Test(arguments: 0..<3)
    func `of one tree on all rows and features is scikit-learn's decision tree`(_ place: Int) throws {
        let tree = reference.trees[place]
        var parameters = tree.options.parameters
        parameters["n_estimators"] = .number(1)
        parameters["bootstrap"] = .flag(false)
        parameters["max_features"] = .text("all")
        let forest = try RandomForest(parameters: parameters).fit(reference.matrix, labels: reference.y, seed: 1)
        #expect(gap(forest.predict(reference.matrix), tree.probabilities) < 1e-11)
    }

    @Test func `finds the best of all sets of levels`() throws {
        let levels = reference.levels.map { $0 }
        let names = (0..<7).map { "l\($0)" }
        let table = [NamedColumn("level", .category(codes: levels, levels: names))]
        let matrix = try Signature.learn(table, trainRows: Array(levels.indices)).encode(table)
        let forest = try RandomForest(parameters: [
            "n_estimators": .number(1), "bootstrap": .flag(false), "max_depth": .number(1),
        ]).fit(matrix, labels: reference.level_labels, seed: 1)
        #expect(gap(forest.predict(matrix), reference.stump) < 1e-12)
    }

    @Test func `is as good as scikit-learn's on the same folds`() throws {
        let forest = try RandomForest(parameters: reference.options.parameters)
        let folds = try Split.stratifiedFolds(
            of: SplitRows(classes: reference.y, keys: reference.keys), .init(folds: 5))
        var figures: [Metric: Double] = [:]
        var importance = [Double](repeating: 0, count: 5)
        for seed in 0..<10 {
            var p = [Double](repeating: 0, count: folds.count)
            for fold in 0..<5 {
                let train = folds.indices.filter { folds[$0] != fold }
                let test = folds.indices.filter { folds[$0] == fold }
                let grown = try forest.fit(
                    reference.matrix.rows(train), labels: train.map { reference.y[$0] }, seed: seed)
                for (row, probability) in zip(test, grown.predict(reference.matrix.rows(test))) {
                    p[row] = probability
                }
            }
            let found = try BinaryEvaluation(labels: reference.y, probabilities: p, threshold: 0.5, bootstrap: nil)
            for metric in [Metric.rocAUC, .logLoss, .accuracy] {
                figures[metric, default: 0] += try #require(found[metric].value) / 10
            }
            let whole = try forest.fit(reference.matrix, labels: reference.y, seed: seed)
            for (feature, share) in whole.importance.enumerated() { importance[feature] += share / 10 }
        }
        #expect(abs(try #require(figures[.rocAUC]) - reference.roc_auc) < 0.006)
        #expect(abs(try #require(figures[.logLoss]) - reference.log_loss) < 0.006)
        #expect(abs(try #require(figures[.accuracy]) - reference.accuracy) < 0.01)
        #expect(gap(importance, reference.importance) < 0.01)
    }

    @Test(arguments: ["gini", "entropy"])
    func `of one unlimited tree on all rows remembers them`(_ criterion: String) throws {
        let rows = 5000
        let values = (0..<(2 * rows)).map { portableUniform(seed: 5, key: "\($0)") }
        let labels = (0..<rows).map { row -> UInt8 in
            portableUniform(seed: 6, key: "\(row)") < values[row] ? 1 : 0
        }
        let matrix = FeatureMatrix(
            names: ["a", "b"], categorical: [false, false], codes: [0, 0], rows: rows, values: values)
        let forest = try RandomForest(parameters: [
            "n_estimators": .number(1), "bootstrap": .flag(false), "criterion": .text(criterion),
        ]).fit(matrix, labels: labels, seed: 1)
        #expect(forest.predict(matrix) == labels.map(Double.init))
    }

    @Test func `is the same for the same seed and another for another`() throws {
        let learner = try RandomForestLearner(parameters: ["n_estimators": .number(5)])
        func text(_ seed: Int, threads: Int) throws -> [UInt8] {
            try learner.fit(
                reference.matrix, labels: reference.y, validation: nil, seed: seed, threads: threads
            ).text
        }
        #expect(try text(1, threads: 1) == text(1, threads: 2))
        #expect(try text(1, threads: 1) != text(2, threads: 1))
    }

    @Test func `states the length of each tree in its file`() throws {
        let forest = try RandomForest(parameters: ["n_estimators": .number(3)])
            .fit(reference.matrix, labels: reference.y, seed: 1)
        let text = forest.lightGBMText()
        let sizes = try #require(text.split(separator: "\n").first { $0.hasPrefix("tree_sizes=") })
            .dropFirst("tree_sizes=".count).split(separator: " ").compactMap { Int($0) }
        let start = try #require(text.firstRange(of: "Tree=0\n")?.lowerBound)
        let end = try #require(text.firstRange(of: "end of trees")?.lowerBound)
        #expect(sizes.count == 3)
        #expect(text[start..<end].utf8.count == sizes.reduce(0, +))
        #expect(!text.contains("objective"))
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let name: String
        let value: ParameterValue
        var testDescription: String { "\(name): \(value)" }
    }

    @Test(arguments: [
        Bad(name: "n_estimators", value: .number(0)), Bad(name: "n_estimators", value: .number(1.5)),
        Bad(name: "n_estimators", value: .text("many")), Bad(name: "max_depth", value: .number(-1)),
        Bad(name: "criterion", value: .text("log")), Bad(name: "max_features", value: .number(2.5)),
        Bad(name: "max_features", value: .text("root")), Bad(name: "bootstrap", value: .number(1)),
        Bad(name: "class_weight", value: .text("even")), Bad(name: "min_samples_leaf", value: .number(0)),
        Bad(name: "min_samples_split", value: .number(1)),
    ])
    func `refuses a value out of range`(_ bad: Bad) {
        let error = #expect(throws: MartletError.self) { try RandomForest(parameters: [bad.name: bad.value]) }
        #expect(error?.code == "learner.parameter-value")
    }

    @Test func `suggests the nearest parameter`() {
        let error = #expect(throws: MartletError.self) { try RandomForest(parameters: ["max_dept": .number(3)]) }
        #expect(error?.code == "learner.unknown-parameter")
        #expect(error?.remedy == "did you mean max_depth?")
    }

    @Test func `refuses one class and infinite values`() throws {
        let matrix = FeatureMatrix(
            names: ["a"], categorical: [false], codes: [0], rows: 2, values: [1, .infinity])
        let infinite = #expect(throws: MartletError.self) {
            try RandomForest().fit(matrix, labels: [0, 1], seed: 1)
        }
        #expect(infinite?.code == "forest.infinite")
        let single = #expect(throws: MartletError.self) { try RandomForest().fit(matrix, labels: [1, 1], seed: 1) }
        #expect(single?.code == "training.single-class")
    }

    @Test func `sends missing values to the better side`() throws {
        let values: [Double] = [1, 2, 3, 4, .nan, .nan, .nan]
        let matrix = FeatureMatrix(names: ["a"], categorical: [false], codes: [0], rows: 7, values: values)
        let options: [String: ParameterValue] = [
            "n_estimators": .number(1), "bootstrap": .flag(false), "max_depth": .number(1),
        ]
        for missing in [UInt8(0), 1] {
            let labels: [UInt8] = [0, 0, 1, 1, missing, missing, missing]
            let forest = try RandomForest(parameters: options).fit(matrix, labels: labels, seed: 1)
            #expect(forest.predict(matrix) == labels.map(Double.init))
        }
    }
}
