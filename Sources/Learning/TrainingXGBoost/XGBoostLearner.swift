internal import Core
internal import Forests
package import Training
internal import XGBoost

/// The `xgboost` learner: gradient boosting with XGBoost's histograms, on one thread.
///
/// ```swift
/// let learner = try XGBoostLearner(parameters: plan.parameters, rounds: 500, patience: 50)
/// ```
///
/// The library sums histograms by thread, so that only on one thread the trees are the same on every machine. The
/// validation loss that decides when to stop is summed here, in row order.
package struct XGBoostLearner: Learner {
    package var kind: String { "xgboost" }

    /// The learner's entry in a catalogue. Its models are scored by Martlet's own evaluator, as in the server.
    package static let descriptor = LearnerDescriptor(
        kind: "xgboost", defaultRounds: 500, format: "xgboost-ubj",
        library: .init(name: "xgboost") { XGBoostLibrary.version },
        make: { plan in
            try XGBoostLearner(parameters: plan.parameters, rounds: plan.rounds ?? 500, patience: plan.earlyStopping)
        }, scorer: { file, _ in try ForestScorer(try CompactForest(xgboostUBJ: file)) })

    private let parameters: [(name: String, value: String)]
    private let rounds: Int
    private let patience: Int

    /// Parameters of the tree booster (XGBoost 3.2, "XGBoost Parameters"), by alias.
    private static let aliases: [String: String] = {
        var names = Dictionary(
            uniqueKeysWithValues: [
                "eta", "gamma", "max_depth", "min_child_weight", "max_delta_step", "subsample", "colsample_bytree",
                "colsample_bylevel", "colsample_bynode", "lambda", "alpha", "tree_method", "scale_pos_weight",
                "grow_policy", "max_leaves", "max_bin", "num_parallel_tree", "monotone_constraints",
                "interaction_constraints", "max_cat_to_onehot", "max_cat_threshold", "base_score",
            ].map { ($0, $0) })
        names["learning_rate"] = "eta"
        names["min_split_loss"] = "gamma"
        names["reg_lambda"] = "lambda"
        names["reg_alpha"] = "alpha"
        return names
    }()

    /// Names that Martlet itself sets.
    private static let reserved: [String: String] = [
        "objective": "the target decides it", "eval_metric": "log loss decides when to stop",
        "nthread": "training takes one thread, so that it gives the same trees everywhere",
        "n_jobs": "training takes one thread, so that it gives the same trees everywhere",
        "seed": "set `seed` beside `kind`", "random_state": "set `seed` beside `kind`",
        "n_estimators": "set `rounds` beside `kind`", "num_boost_round": "set `rounds` beside `kind`",
        "early_stopping_rounds": "set `early_stopping` beside `kind`", "booster": "gbtree is offered",
        "device": "training runs on the processor", "num_class": "the target has two classes",
        "verbosity": "Martlet shows the progress", "enable_categorical": "the signature decides it",
        "sampling_method": "uniform sampling is what histograms on the processor have",
    ]

    /// Those whose value depends on the columns, which are not known yet.
    private static let perColumn: Set = ["monotone_constraints", "interaction_constraints"]

    /// Checks the parameters, by a model of two rows.
    /// - Parameters:
    ///   - parameters: XGBoost's own names or aliases.
    ///   - rounds: the most trees to grow.
    ///   - patience: rounds without a better validation log loss before stopping; 0 = never.
    /// - Throws: `learner.unknown-parameter`, `learner.reserved-parameter` for one that Martlet sets,
    ///   `learner.parameter-value`.
    package init(parameters: [String: ParameterValue], rounds: Int, patience: Int) throws {
        guard rounds > 0 else {
            throw MartletError(
                .input, "learner.parameter-value", "rounds is \(rounds); it must be at least 1.",
                at: .init(key: "learner.rounds"))
        }
        var given: [String: String] = [:]
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
            let place = MartletError.Location(key: "learner.parameters.\(name)")
            if let why = Self.reserved[name] {
                throw MartletError(
                    .input, "learner.reserved-parameter", "The parameter \(name) cannot be set: \(why).", at: place)
            }
            guard let canonical = Self.aliases[name] else {
                let near = Spelling.nearest(to: name, among: Self.aliases.keys.sorted())
                throw MartletError(
                    .input, "learner.unknown-parameter", "XGBoost has no parameter \(name) for trees.", at: place,
                    remedy: near.map { "Did you mean \($0)?" })
            }
            guard given.updateValue("\(value)", forKey: canonical) == nil else {
                throw MartletError(
                    .input, "learner.parameter-value", "\(canonical) is given under two names.", at: place)
            }
            if canonical == "tree_method", !["hist", "approx", "auto"].contains("\(value)") {
                throw MartletError(
                    .input, "learner.parameter-value", "tree_method is \(value); hist and approx are offered.",
                    at: place)
            }
            do {
                if !Self.perColumn.contains(canonical) { try Self.probe([(canonical, "\(value)")]) }
            } catch {
                throw MartletError(
                    .input, "learner.parameter-value", "XGBoost does not take \(value) for \(name): \(error.message)",
                    at: place)
            }
        }
        self.parameters = given.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        self.rounds = rounds
        self.patience = patience
    }

    private static func probe(_ parameters: [(name: String, value: String)]) throws(XGBoostError) {
        let rows = try Dataset(values: [0, 1], rows: 2, columns: 1, labels: [0, 1], categorical: [false])
        try Booster(on: rows, parameters: settings(parameters, seed: 0)).update(0)
    }

    private static func settings(
        _ parameters: [(name: String, value: String)], seed: Int
    ) -> [(name: String, value: String)] {
        [("tree_method", "hist")] + parameters + [
            ("objective", "binary:logistic"), ("nthread", "1"), ("seed", "\(seed)"), ("verbosity", "0"),
        ]
    }

    /// Trains a boosted model, with early stopping where validation rows are given.
    package func fit(
        _ train: FeatureMatrix, labels: [UInt8], validation: (FeatureMatrix, [UInt8])?, seed: Int, threads: Int
    ) throws -> FittedModel {
        do { return try grow(train, labels, validation, seed) } catch {
            throw MartletError(.input, "training.failed", "XGBoost could not train: \(error.message)")
        }
    }

    private func grow(
        _ train: FeatureMatrix, _ labels: [UInt8], _ validation: (FeatureMatrix, [UInt8])?, _ seed: Int
    ) throws(XGBoostError) -> FittedModel {
        let held = try validation.map { (matrix, labels) throws(XGBoostError) in try Self.dataset(matrix, labels) }
        let booster = try Booster(
            on: try Self.dataset(train, labels), validation: held,
            parameters: Self.settings(parameters, seed: seed))
        var stopping = EarlyStopping(patience: patience, labels: validation?.1 ?? [])
        var predictions = [Double](repeating: 0, count: held?.rows ?? 0)
        for round in 1...rounds {
            try booster.update(round - 1)
            guard held != nil else { continue }
            try booster.validationPredictions(into: &predictions)
            if stopping.isOver(after: round, predictions) { break }
        }
        let best = held == nil ? rounds : stopping.best
        return FittedModel(
            text: try booster.file(rounds: best), rounds: best,
            gain: try booster.gain(rounds: best, columns: train.columns), format: Self.descriptor.format,
            trace: stopping.trace.isEmpty ? nil : stopping.trace)
    }

    private static func dataset(_ matrix: FeatureMatrix, _ labels: [UInt8]) throws(XGBoostError) -> Dataset {
        try Dataset(
            values: matrix.values, rows: matrix.rows, columns: matrix.columns, labels: labels,
            categorical: matrix.categorical)
    }
}
