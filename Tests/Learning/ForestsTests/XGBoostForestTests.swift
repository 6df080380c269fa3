import Core
import Forests
import Testing

struct XGBoostForestTests {
    @Test(
        "Margins are XGBoost's to the bit, probabilities within one unit in the last place; JSON and UBJSON are one",
        arguments: [
            ["objective": "binary:logistic", "max_depth": "6"],
            ["objective": "binary:logistic", "grow_policy": "lossguide", "max_leaves": "200", "max_depth": "0"],
            ["objective": "binary:logistic", "booster": "dart", "rate_drop": "0.4", "base_score": "0.2"],
            ["objective": "binary:logitraw", "max_depth": "3"],
            ["objective": "reg:squarederror", "max_depth": "1"],
        ], [false, true])
    func equalScores(parameters: [String: String], categorical: Bool) throws {
        let samples = Samples(rows: 1_200, seed: 11)
        let parameters = parameters.merging(["max_cat_to_onehot": "3"], uniquingKeysWith: { $1 })
        let model = try XGBoostModel(samples, parameters, rounds: 30, categorical: categorical)
        let thresholds = try Self.thresholds(model)
        var rows = samples.probes(seed: 5, thresholds: thresholds, infinities: false)
        if categorical {
            // The library's matrix refuses codes that cannot be.
            for row in 0..<samples.rows where rows[row * 6 + 5] < 0 { rows[row * 6 + 5] = 3 }
        }
        let margins = try model.predict(rows, type: 1, categorical: categorical)
        let scores = try model.predict(rows, type: 0, categorical: categorical)
        let forest = try CompactForest(xgboostJSON: try model.file("json"))
        let ours = Evaluation(forest, rows)
        #expect(ours.margins.differences(from: margins.map { Double($0) }) == 0)
        let apart = zip(ours.scores, scores).map {
            abs(Int(Float($0).bitPattern) - Int($1.bitPattern))
        }
        #expect(apart.max() ?? 2 <= 1)
        #expect(ours.batch.differences(from: ours.scores) == 0)
        #expect(ours.gap < 1e-4)

        let binary = Evaluation(try CompactForest(xgboostUBJ: try model.file("ubj")), rows)
        #expect(binary.margins.differences(from: ours.margins) == 0)

        let shares = try model.predict(Array(rows.prefix(60)), type: 2, categorical: categorical)
        rows.withUnsafeBufferPointer { rows in
            for row in 0..<10 {
                let found = forest.contributions(of: UnsafeBufferPointer(rebasing: rows[row * 6..<row * 6 + 6]))
                let wanted = shares[row * 7..<row * 7 + 7]
                #expect(zip(found, wanted).allSatisfy { abs($0 - Double($1)) < 1e-4 })
            }
        }
    }

    private static func thresholds(_ model: XGBoostModel) throws -> [Double] {
        let value = try #require(JSONValue(parsing: try model.file("json")))
        let booster = try #require(value["learner"]?["gradient_booster"])
        let trees = try #require((booster["gbtree"] ?? booster)["model"]?["trees"]?.list)
        return trees.flatMap { $0["split_conditions"]?.list ?? [] }.compactMap {
            if case .number(let value) = $0 { return Double(Float(value)) }
            return nil
        }
    }
}
