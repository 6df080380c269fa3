internal import Core
internal import LightGBM
package import Training

/// The `lightgbm` learner: deterministic gradient boosting with LightGBM.
///
/// ```swift
/// let learner = try LightGBMLearner(parameters: plan.parameters, rounds: 500, patience: 50)
/// ```
///
/// Histograms are built column by column and in deterministic mode, so that the trees do not depend on the number of
/// threads, and the validation loss that decides when to stop is summed here, in row order.
package struct LightGBMLearner: Learner {
    package var kind: String { "lightgbm" }

    /// The learner's entry in a catalogue.
    package static let descriptor = LearnerDescriptor(
        kind: "lightgbm", defaultRounds: 500, format: "lightgbm-text",
        library: .init(name: "lightgbm") { Digest(of: try LightGBMLibrary.parameterAliases()).short },
        make: { plan in
            try LightGBMLearner(
                parameters: plan.parameters, rounds: plan.rounds ?? 500, patience: plan.earlyStopping)
        }, scorer: { try LightGBMScorer(text: $0, threads: $1) })

    private let parameters: [String: ParameterValue]
    private let rounds: Int
    private let patience: Int

    /// Names that Martlet itself sets.
    private static let reserved: [String: String] = [
        "objective": "the target decides it", "metric": "log loss decides when to stop",
        "num_threads": "it is chosen when the program runs", "seed": "set `seed` beside `kind`",
        "deterministic": "always on", "force_col_wise": "always on", "force_row_wise": "column-wise is always on",
        "num_iterations": "set `rounds` beside `kind`", "early_stopping_round": "set `early_stopping` beside `kind`",
        "categorical_feature": "the signature decides it", "boosting": "gbdt and goss are offered; dart and rf are not",
        "linear_tree": "linear trees are not offered", "num_class": "the target has two classes",
        "verbosity": "Martlet shows the progress",
    ]

    /// Checks the parameters.
    /// - Parameters:
    ///   - parameters: LightGBM's own names or aliases.
    ///   - rounds: the most trees to grow.
    ///   - patience: rounds without a better validation log loss before stopping; 0 = never.
    /// - Throws: `learner.unknown-parameter` for a name that LightGBM does not know, `learner.reserved-parameter` for
    ///   one that Martlet sets, `learner.parameter-value`.
    package init(parameters: [String: ParameterValue], rounds: Int, patience: Int) throws {
        guard rounds > 0 else {
            throw MartletError(
                .input, "learner.parameter-value", "rounds is \(rounds); it must be at least 1.",
                at: .init(key: "learner.rounds"))
        }
        let aliases = try Self.aliases()
        for name in parameters.keys.sorted() {
            let place = MartletError.Location(key: "learner.parameters.\(name)")
            guard let canonical = aliases[name] else {
                // An alias may be nearer, but the library's documentation has the parameter under its own name.
                let near = Spelling.nearest(to: name, among: aliases.keys).map { aliases[$0] ?? $0 }
                let why = near.flatMap { Self.reserved[$0] }.map { " It cannot be set: \($0)." } ?? ""
                throw MartletError(
                    .input, "learner.unknown-parameter", "LightGBM has no parameter \(name).", at: place,
                    remedy: near.map { "Did you mean \($0)?\(why)" })
            }
            if case .text(let value)? = parameters[name], value.contains(where: { $0.isWhitespace || $0 == "=" }) {
                throw MartletError(
                    .input, "learner.parameter-value",
                    "The value of \(name), \(value), holds a blank or an equals sign.", at: place)
            }
            if let why = Self.reserved[canonical] {
                throw MartletError(
                    .input, "learner.reserved-parameter", "The parameter \(name) cannot be set: \(why).", at: place)
            }
        }
        self.parameters = parameters
        self.rounds = rounds
        self.patience = patience
    }

    /// Trains a boosted model, with early stopping where validation rows are given.
    package func fit(
        _ train: FeatureMatrix, labels: [UInt8], validation: (FeatureMatrix, [UInt8])?, seed: Int, threads: Int
    ) throws -> FittedModel {
        do { return try grow(train, labels, validation, seed, threads) } catch let error as LightGBMError {
            throw MartletError(.input, "training.failed", "LightGBM could not train: \(error.message)")
        }
    }

    private func grow(
        _ train: FeatureMatrix, _ labels: [UInt8], _ validation: (FeatureMatrix, [UInt8])?, _ seed: Int, _ threads: Int
    ) throws -> FittedModel {
        let settings = settings(for: train, seed: seed, threads: threads)
        let dataset = try Dataset(
            values: train.values, rows: train.rows, columns: train.columns, labels: labels, parameters: settings)
        try dataset.setNames(Self.safeNames(train.names))
        let booster = try Booster(on: dataset, parameters: settings)
        var stopping = EarlyStopping(patience: patience, labels: validation?.1 ?? [])
        var grown = 0
        if let (matrix, held) = validation {
            try booster.validate(
                on: try Dataset(
                    values: matrix.values, rows: matrix.rows, columns: matrix.columns, labels: held,
                    parameters: settings, reference: dataset))
        }
        var predictions = [Double](repeating: 0, count: validation?.0.rows ?? 0)
        for round in 1...rounds {
            let finished = try booster.update()
            grown = round
            if validation != nil {
                try booster.validationPredictions(into: &predictions)
                if stopping.isOver(after: round, predictions) { break }
            }
            if finished { break }
        }
        let best = validation == nil ? grown : stopping.best
        let text = try booster.text(iterations: best)
        let gain = try booster.gain(iterations: best, columns: train.columns)
        return FittedModel(
            text: Self.canonical(text), rounds: best, gain: gain, format: "lightgbm-text",
            trace: stopping.trace.isEmpty ? nil : stopping.trace)
    }

    private func settings(for train: FeatureMatrix, seed: Int, threads: Int) -> String {
        let categories = train.categorical.indices.filter { train.categorical[$0] }.map(String.init)
        var items = parameters.keys.sorted().map { "\($0)=\(parameters[$0].map { "\($0)" } ?? "")" }
        items += [
            "objective=binary", "metric=none", "deterministic=true", "force_col_wise=true", "seed=\(seed)",
            "num_threads=\(threads)", "verbosity=-1",
        ]
        if !categories.isEmpty { items.append("categorical_feature=" + categories.joined(separator: ",")) }
        return items.joined(separator: " ")
    }

    /// The model text without what depends on how the program ran.
    private static func canonical(_ text: [UInt8]) -> [UInt8] {
        let lines = text.split(separator: 10, omittingEmptySubsequences: false)
        return Array(lines.filter { !$0.starts(with: Array("[num_threads:".utf8)) }.joined(separator: [10]))
    }

    /// Names that LightGBM's text format can hold, still unique.
    private static func safeNames(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.enumerated().map { index, name in
            let plain = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.".contains($0)) ? $0 : "_" })
            return seen.insert(plain).inserted ? plain : "\(plain)_\(index)"
        }
    }

    private static func aliases() throws -> [String: String] {
        let text: String
        do { text = try LightGBMLibrary.parameterAliases() } catch {
            throw MartletError(.machine, "training.library", "LightGBM does not answer: \(error.message)")
        }
        var canonical: [String: String] = [:]
        for (name, others) in try JSON.decode([String: [String]].self, from: text) {
            canonical[name] = name
            for other in others { canonical[other] = name }
        }
        return canonical
    }
}
