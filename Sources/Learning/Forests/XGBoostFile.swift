internal import Core
internal import Foundation

// XGBoost's model: the same object in JSON and in UBJSON (its schema: doc/model.schema of the library).

/// Converts XGBoost's model object to a forest.
struct XGBoostFile {
    let model: JSONValue

    /// What the library adds to and takes from a base score of exactly 0 or 1 (`kRtEps`).
    private static let epsilon: Float = 1e-6

    func forest() throws(MartletError) -> ParsedForest {
        guard let learner = model["learner"], let booster = learner["gradient_booster"] else {
            throw XGBoostFile.fault("It has no `learner.gradient_booster`.", "learner")
        }
        let name = booster["name"]?.text ?? ""
        guard name == "gbtree" || name == "dart" else { throw XGBoostFile.refusal("The booster `\(name)`") }
        let trees = name == "dart" ? booster["gbtree"]?["model"] : booster["model"]
        guard let trees, let list = trees["trees"]?.list else {
            throw XGBoostFile.fault("It has no list of trees.", "learner.gradient_booster.model.trees")
        }
        var forest = try headed(learner)
        let weights = try name == "dart" ? self.weights(booster, count: list.count) : nil
        let groups = trees["tree_info"]?.list ?? []
        guard groups.count == list.count, groups.allSatisfy({ $0.integer == 0 }) else {
            throw XGBoostFile.fault("`tree_info` is not a zero for each tree.", "learner.gradient_booster.model")
        }
        for (number, object) in list.enumerated() {
            let tree = XGBoostTree(object: object, number: number)
            let (nodes, sets) = try tree.nodes(weight: weights?[number], setsBefore: forest.sets.count)
            forest.sets += sets
            try forest.add(nodes, at: MartletError.Location(key: tree.key))
        }
        return forest
    }

    private func headed(_ learner: JSONValue) throws(MartletError) -> ParsedForest {
        let parameters = learner["learner_model_param"]
        func whole(_ key: String) -> Int? { parameters?[key]?.text.flatMap { Int($0) } }
        guard let features = whole("num_feature"), (1..<1 << 24).contains(features) else {
            throw XGBoostFile.fault("`num_feature` is missing or not from 1.", "learner.learner_model_param")
        }
        if whole("num_class") ?? 0 > 1 || whole("num_target") ?? 1 > 1 {
            throw XGBoostFile.refusal("A model with several classes or targets")
        }
        let given = learner["feature_names"]?.list ?? []
        var names = given.compactMap(\.text)
        if given.isEmpty { names = (0..<features).map { "f\($0)" } }
        guard names.count == features else {
            throw XGBoostFile.fault("`feature_names` does not have \(features) texts.", "learner.feature_names")
        }
        var forest = ParsedForest(family: .xgboost, featureNames: names)
        let objective = learner["objective"]?["name"]?.text ?? ""
        var base = try baseScore(parameters?["base_score"]?.text ?? "")
        switch objective {
        case "binary:logistic", "reg:logistic":
            forest.link = .floatLogistic
            // The text is a probability; the library bounds it and takes its logit, all in floats.
            base = min(max(base, Self.epsilon), 1 - Self.epsilon)
            base = -logf(1 / base - 1)
        case "binary:logitraw", "reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror",
            "reg:absoluteerror":
            forest.link = .identity
        default: throw XGBoostFile.refusal("The objective `\(objective)`")
        }
        forest.base = Double(base)
        return forest
    }

    /// "5E-1" before version 3.1 of the library, "[5E-1]" since.
    private func baseScore(_ text: String) throws(MartletError) -> Float {
        var digits = Substring(text)
        if digits.first == "[", digits.last == "]" { digits = digits.dropFirst().dropLast() }
        guard let value = Float(digits), value.isFinite else {
            throw XGBoostFile.fault("`base_score` is `\(text)`, not one number.", "learner.learner_model_param")
        }
        return value
    }

    /// How much each tree counts after DART's dropping.
    private func weights(_ booster: JSONValue, count: Int) throws(MartletError) -> [Float] {
        let weights = (booster["weight_drop"]?.list ?? []).compactMap(\.float)
        guard weights.count == count else {
            throw XGBoostFile.fault("`weight_drop` is not a number for each tree.", "learner.gradient_booster")
        }
        return weights
    }

    static func fault(_ message: String, _ key: String) -> MartletError {
        MartletError(
            .input, "forest.format", message, at: MartletError.Location(key: key), remedy: ParsedForest.damaged)
    }

    static func refusal(_ what: String) -> MartletError {
        MartletError(
            .input, "forest.unsupported", "\(what) is not evaluated.",
            remedy: "docs/forests.md tells what is evaluated; other models are left to their own library.")
    }
}

extension JSONValue {
    /// XGBoost's real numbers are floats.
    var float: Float? {
        switch self {
        case .number(let value): Float(value)
        case .integer(let value): Float(value)
        default: nil
        }
    }

    var truth: Bool? { flag ?? long.map { $0 != 0 } }
}
