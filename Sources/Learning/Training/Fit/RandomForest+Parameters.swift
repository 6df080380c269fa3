internal import Core

extension RandomForest {
    /// Parameter names accepted in a project file.
    static let parameterNames = [
        "n_estimators", "criterion", "max_depth", "min_samples_split", "min_samples_leaf", "max_features",
        "bootstrap", "class_weight",
    ]

    /// Parses parameters by scikit-learn's names.
    ///
    /// Throws for an unknown name, suggesting the nearest, and values out of range. In `max_features`,
    /// `min_samples_split` and `min_samples_leaf` a number below 1 is a share; "all" or "none" stand for scikit-learn's
    /// None.
    package init(parameters: [String: ParameterValue]) throws {
        self.init()
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
            switch name {
            case "n_estimators": estimators = try Self.whole(name, value, 1...100_000)
            case "criterion": criterion = try Self.choice(name, value)
            case "max_depth": maxDepth = Self.isNone(value) ? nil : try Self.whole(name, value, 1...10_000)
            case "min_samples_split": minSamplesSplit = try Self.rowCount(name, value, least: 2)
            case "min_samples_leaf": minSamplesLeaf = try Self.rowCount(name, value, least: 1)
            case "max_features": maxFeatures = try Self.maxFeatures(name, value)
            case "bootstrap":
                guard case .flag(let flag) = value else { throw Self.wrong(name, value, "true or false") }
                bootstrap = flag
            case "class_weight": classWeight = Self.isNone(value) ? .none : try Self.choice(name, value)
            default:
                let nearest = Spelling.nearest(to: name, among: Self.parameterNames)
                throw MartletError(
                    .input, "learner.unknown-parameter", "a random forest has no parameter \"\(name)\"",
                    at: .init(key: "learner.parameters.\(name)"),
                    remedy: nearest.map { "did you mean \($0)?" }
                        ?? "it knows \(Self.parameterNames.joined(separator: ", "))")
            }
        }
    }

    private static func isNone(_ value: ParameterValue) -> Bool {
        if case .text(let text) = value { ["none", "None", "null"].contains(text) } else { false }
    }

    private static func whole(
        _ name: String, _ value: ParameterValue, _ range: ClosedRange<Int>
    ) throws -> Int {
        guard case .number(let number) = value, let whole = Int(exactly: number), range.contains(whole) else {
            throw wrong(name, value, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return whole
    }

    private static func rowCount(_ name: String, _ value: ParameterValue, least: Int) throws -> RowCount {
        if case .number(let number) = value {
            if number > 0, number < 1 { return .share(number) }
            if let count = Int(exactly: number), count >= least { return .count(count) }
        }
        throw wrong(name, value, "a whole number of at least \(least), or a share between 0 and 1")
    }

    private static func maxFeatures(_ name: String, _ value: ParameterValue) throws -> MaxFeatures {
        if isNone(value) { return .all }
        switch value {
        case .text("sqrt"): return .sqrt
        case .text("log2"): return .log2
        case .text("all"): return .all
        case .number(let number) where number > 0 && number < 1: return .share(number)
        case .number(let number):
            if let count = Int(exactly: number), count >= 1 { return .count(count) }
        default: break
        }
        throw wrong(name, value, "sqrt, log2, all, a count of features or a share below 1")
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _ value: ParameterValue
    ) throws -> Choice where Choice.RawValue == String {
        guard case .text(let text) = value, let choice = Choice(rawValue: text) else {
            throw wrong(name, value, Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }

    private static func wrong(_ name: String, _ value: ParameterValue, _ expected: String) -> MartletError {
        MartletError(
            .input, "learner.parameter-value", "\(name) must be \(expected); it is \(value)",
            at: .init(key: "learner.parameters.\(name)"))
    }
}
