import Core
import Forests
import Testing

struct DamagedModelTests {
    private static let text = """
        tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\nobjective=binary sigmoid:1
        feature_names=a b\ntree_sizes=1\n\nTree=0\nnum_leaves=4\nnum_cat=1\nsplit_feature=0 1 0
        threshold=1 0 2.5\ndecision_type=8 1 10\nleft_child=1 -1 -2\nright_child=2 -3 -4
        leaf_value=0.25 1 -2 0.5\nleaf_count=3 1 2 2\ninternal_count=8 5 3\ncat_boundaries=0 2\ncat_threshold=5 1
        is_linear=0\nshrinkage=1\n\nend of trees\n
        """

    private static func code(_ make: () throws -> CompactForest) -> String {
        do {
            _ = try make()
            return "none"
        } catch { return (error as? MartletError)?.code ?? "\(error)" }
    }

    @Test("The sample is sound")
    func sound() throws {
        let forest = try CompactForest(lightGBM: Self.text.utf8)
        #expect(Evaluation(forest, [0, 2, 0, 1, 3, 0, 2, 0]).margins == [0.25, -2, 0.5, 1])
    }

    @Test(
        "Each damage has its error",
        arguments: [
            ("left_child=1 -1 -2", "left_child=0 -1 -2", "forest.tree"),
            ("left_child=1 -1 -2", "left_child=1 -1 1", "forest.tree"),
            ("left_child=1 -1 -2", "left_child=1 -1 -1", "forest.tree"),
            ("left_child=1 -1 -2", "left_child=1 -1 -9", "forest.format"),
            ("left_child=1 -1 -2", "left_child=1 -1 3", "forest.format"),
            ("left_child=1 -1 -2", "left_child=1 -1 -9223372036854775808", "forest.format"),
            ("left_child=1 -1 -2", "left_child=1 -1", "forest.format"),
            ("split_feature=0 1 0", "split_feature=0 2 0", "forest.tree"),
            ("split_feature=0 1 0", "split_feature=0 -1 0", "forest.format"),
            ("threshold=1 0 2.5", "threshold=nan 0 2.5", "forest.tree"),
            ("threshold=1 0 2.5", "threshold=1 1 2.5", "forest.format"),
            ("threshold=1 0 2.5", "threshold=1 x 2.5", "forest.format"),
            ("leaf_value=0.25", "leaf_value=nan", "forest.tree"),
            ("decision_type=8", "decision_type=12", "forest.format"),
            ("cat_boundaries=0 2", "cat_boundaries=0 3", "forest.format"),
            ("cat_boundaries=0 2", "cat_boundaries=0 -1", "forest.format"),
            ("num_leaves=4", "num_leaves=4000000000000", "forest.format"),
            ("num_leaves=4", "num_leaves=0", "forest.format"),
            ("tree_sizes=1", "tree_sizes=1 1", "forest.format"),
            ("end of trees", "", "forest.format"),
            ("max_feature_idx=1", "max_feature_idx=99999999999", "forest.format"),
            ("num_class=1", "num_class=3", "forest.unsupported"),
            ("objective=binary", "objective=lambdarank", "forest.unsupported"),
            ("is_linear=0", "is_linear=1", "forest.unsupported"),
        ])
    func damages(old: String, new: String, code: String) {
        #expect(Self.text.contains(old))
        let damaged = Self.text.replacing(old, with: new)
        #expect(Self.code { try CompactForest(lightGBM: damaged.utf8) } == code)
    }

    /// Whatever comes of a changed file, it is an error or a forest that scores.
    private func survives(_ bytes: [UInt8], seed: UInt64, _ read: ([UInt8]) throws -> CompactForest) {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<600 {
            var changed = bytes
            if round < 100 {
                changed.removeLast(Int.random(in: 1..<bytes.count, using: &generator))
            } else {
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    changed[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                        in: round % 2 == 0 ? 0...255 : 44...57, using: &generator)
                }
            }
            guard let forest = try? read(changed), forest.featureCount < 1_000 else { continue }
            _ = Evaluation(forest, [Double](repeating: 0.5, count: forest.featureCount * 3))
        }
    }

    @Test("Changed and shortened bytes never crash a reader")
    func changedBytes() throws {
        survives(Array(Self.text.utf8), seed: 1) { try CompactForest(lightGBM: $0) }
        let model = try XGBoostModel(
            Samples(rows: 300, seed: 1), ["objective": "binary:logistic", "max_depth": "3"], rounds: 3,
            categorical: true)
        survives(try model.file("json"), seed: 2) { try CompactForest(xgboostJSON: $0) }
        survives(try model.file("ubj"), seed: 3) { try CompactForest(xgboostUBJ: $0) }
    }
}
