/// One node of a decision tree as a model file describes it. `feature` is -1 at a leaf.
struct TreeNode: Sendable {
    var feature: Int32 = -1
    var left: Int32 = 0
    var right: Int32 = 0
    /// The place of its set among the forest's category sets, -1 where a threshold decides.
    var set: Int32 = -1
    var missing = MissingRule.nanRight
    /// LightGBM goes left at values up to it, XGBoost at values below it.
    var threshold = 0.0
    /// The leaf's contribution; of no meaning elsewhere.
    var value = 0.0
    /// How much of the training data came through: rows (LightGBM) or their summed hessians (XGBoost).
    var cover = 0.0

    var isLeaf: Bool { feature < 0 }
}

/// What a split does with a value that counts as missing.
enum MissingRule: UInt8, Sendable {
    /// NaN is taken for zero and compared (LightGBM's missing type None).
    case nanAsZero
    /// NaN and zero go to the left (LightGBM's missing type Zero).
    case zeroLeft
    case zeroRight
    case nanLeft
    case nanRight
}

/// A set of categories, one bit each, as a categorical split holds it.
struct CategorySet: Sendable, Hashable {
    var words: [UInt32]

    func contains(_ category: Int) -> Bool {
        category >= 0 && category >> 5 < words.count && words[category >> 5] >> UInt32(category & 31) & 1 == 1
    }
}

/// How a library reads a row and walks its trees.
enum Family: Sendable {
    /// Values are doubles, those within ±1e-35 are zero; `value <= threshold` goes left; a category in the set goes
    /// left; leaves are summed as doubles.
    case lightGBM
    /// Values are cast to floats; `value < threshold` goes left; a category in the set goes right; leaves are summed
    /// as floats, beginning with the base score.
    case xgboost

    /// LightGBM's `kZeroThreshold`: its float literal 1e-35 widened to a double.
    static var zeroThreshold: Double { 1.0000000180025095e-35 }

    /// The value that the library compares.
    @inline(__always)
    func reading(_ value: Double) -> Double {
        switch self {
        case .lightGBM: abs(value) <= Family.zeroThreshold ? 0 : value
        case .xgboost: Double(Float(value))
        }
    }
}

extension TreeNode {
    /// Whether a row with `value` (already read by the family) goes to the left.
    func goesLeft(_ value: Double, _ family: Family, _ sets: [CategorySet]) -> Bool {
        if set >= 0 { return goesLeft(category: value, family, sets[Int(set)]) }
        let isMissing = value.isNaN || (value == 0 && (missing == .zeroLeft || missing == .zeroRight))
        if isMissing {
            switch missing {
            case .nanAsZero: return 0 <= threshold
            case .zeroLeft, .nanLeft: return true
            case .zeroRight, .nanRight: return false
            }
        }
        return family == .lightGBM ? value <= threshold : value < threshold
    }

    private func goesLeft(category value: Double, _ family: Family, _ set: CategorySet) -> Bool {
        if value.isNaN { return missing == .nanLeft }
        switch family {
        case .lightGBM:
            // A C cast to int: truncated, and the least integer for what an int cannot hold.
            return value > -1 && value < 2_147_483_648 && set.contains(Int(value))
        case .xgboost:
            return !(value >= 0 && value < 16_777_216 && set.contains(Int(value)))
        }
    }
}
