import Core
import Forests
import LightGBM
import Testing

struct LightGBMForestTests {
    private static func model(_ samples: Samples, _ parameters: String, iterations: Int) throws -> [UInt8] {
        let common = "verbose=-1 num_threads=1 seed=7 deterministic=true min_data_in_leaf=3 "
        let data = try Dataset(
            values: Samples.byColumn(samples.values), rows: samples.rows, columns: Samples.columns,
            labels: samples.labels,
            parameters: common + parameters + " categorical_feature=5")
        let booster = try Booster(on: data, parameters: common + parameters)
        for _ in 0..<iterations where try booster.update() { break }
        return try booster.text(iterations: iterations)
    }

    private static func thresholds(_ text: [UInt8]) -> [Double] {
        String(decoding: text, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("threshold=") }
            .flatMap { $0.dropFirst("threshold=".count).split(separator: " ").compactMap { Double($0) } }
    }

    @Test(
        "Scores are LightGBM's to the bit, one row at a time and in a batch",
        arguments: [
            "objective=binary num_leaves=31",
            "objective=binary num_leaves=8 sigmoid=0.7 zero_as_missing=true",
            "objective=binary num_leaves=300 max_bin=1000 min_data_in_bin=1 max_cat_to_onehot=100",
            "objective=binary boosting=dart num_leaves=31 use_missing=false",
            "objective=binary boosting=rf bagging_freq=1 bagging_fraction=0.6 num_leaves=64",
            "objective=cross_entropy extra_trees=true num_leaves=65",
            "objective=regression num_leaves=2",
        ])
    func equalScores(parameters: String) throws {
        let samples = Samples(rows: 1_500, seed: 3)
        let text = try Self.model(samples, parameters, iterations: 40)
        let rows = samples.probes(seed: 5, thresholds: Self.thresholds(text))
        let theirs = try Booster(text: text)
            .predict(values: Samples.byColumn(rows), rows: samples.rows, columns: Samples.columns, threads: 1)
        let ours = Evaluation(try CompactForest(lightGBM: text), rows)
        #expect(ours.scores.differences(from: theirs) == 0)
        #expect(ours.batch.differences(from: theirs) == 0)
        #expect(ours.gap < 1e-10)
    }

    @Test("A forest that averages has the sum as its margin and the mean as its score")
    func average() throws {
        let text = """
            tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\naverage_output
            feature_names=a\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=1\ndecision_type=8
            left_child=-1\nright_child=-2\nleaf_value=0.25 1\nleaf_count=3 1\ninternal_count=4
            \nTree=1\nnum_leaves=1\nnum_cat=0\nleaf_value=0.5\n\nend of trees\n
            """
        let forest = try CompactForest(lightGBM: text.utf8)
        let found = Evaluation(forest, [1, 1.5, .nan])
        #expect(forest.featureNames == ["a"])
        #expect(found.margins == [0.75, 1.5, 1.5])
        #expect(found.scores == [0.375, 0.75, 0.75])
        #expect([1.0].withUnsafeBufferPointer { forest.contributions(of: $0) } == [-0.1875, 0.9375])
    }
}
