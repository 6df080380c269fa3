package import Core
internal import Foundation

/// A tree ensemble for fast scoring, loaded from a LightGBM or XGBoost model file and evaluated without the library.
///
/// ```swift
/// let forest = try CompactForest(lightGBM: bytes)
/// let probability = row.withUnsafeBufferPointer { forest.score(of: $0) }  // row: [Double], NaN is missing
/// ```
///
/// It also evaluates our own random forests, which are written as LightGBM text. Accepted and rejected model files:
/// docs/forests.md.
///
/// Predictions are those of the library that wrote the file: LightGBM's to the bit, XGBoost's margins to the bit and
/// its probabilities within one unit in the last place of a float. A value is immutable; any number of threads may
/// evaluate it at once.
package struct CompactForest: Sendable {
    private enum Sum: Sendable {
        case doubles(Evaluator<Double>)
        case floats(Evaluator<Float>)
    }

    private let parsed: ParsedForest
    private let sum: Sum

    /// Parses LightGBM's text format (version 4, which 2.x and 3.x also wrote in this shape).
    /// - Throws: `forest.format` and `forest.tree` for a file that is damaged, `forest.unsupported` for a model that
    ///   is not evaluated: several classes, linear leaves, other objectives than those in docs/forests.md.
    package init(lightGBM text: some Collection<UInt8>) throws(MartletError) {
        var file = LightGBMFile(Array(text))
        self.init(try file.forest())
    }

    /// Parses XGBoost's JSON model (`save_model("x.json")`).
    /// - Throws: as above; also `forest.unsupported` for `gblinear` and for vector leaves.
    package init(xgboostJSON bytes: some Collection<UInt8>) throws(MartletError) {
        guard let model = JSONValue(parsing: bytes) else { throw Self.unreadable("JSON") }
        self.init(try XGBoostFile(model: model).forest())
    }

    /// Parses XGBoost's binary model (`save_model("x.ubj")`, Universal Binary JSON).
    /// - Throws: as above.
    package init(xgboostUBJ bytes: some Collection<UInt8>) throws(MartletError) {
        guard let model = BinaryJSON.value(of: Array(bytes)) else { throw Self.unreadable("UBJSON") }
        self.init(try XGBoostFile(model: model).forest())
    }

    private init(_ parsed: ParsedForest) {
        self.parsed = parsed
        switch parsed.family {
        case .lightGBM: sum = .doubles(Evaluator(parsed))
        case .xgboost: sum = .floats(Evaluator(parsed))
        }
    }

    private static func unreadable(_ format: String) -> MartletError {
        MartletError(
            .input, "forest.format", "The model is not readable as \(format).", remedy: ParsedForest.damaged)
    }

    /// Number of values of a row.
    package var featureCount: Int { parsed.featureNames.count }

    /// Feature names in the order of a row's values.
    package var featureNames: [String] { parsed.featureNames }

    /// Returns the raw score of a row: the sum over the trees and, for XGBoost, the base score.
    ///
    /// It is the library's own raw score; for a forest that averages it is the sum before the division.
    /// - Parameter row: exactly `featureCount` values in the order of `featureNames`; NaN is missing, categories are
    ///   their codes.
    package func margin(of row: UnsafeBufferPointer<Double>) -> Double {
        precondition(row.count == featureCount, "a row has as many values as the forest has features")
        guard let values = row.baseAddress else { return parsed.base }
        switch sum {
        case .doubles(let evaluator): return evaluator.margin(values)
        case .floats(let evaluator): return Double(evaluator.margin(values))
        }
    }

    /// Returns the prediction for a row: probability of a binary objective, mean of an averaging forest, else the
    /// margin.
    /// - Parameter row: as for `margin(of:)`.
    package func score(of row: UnsafeBufferPointer<Double>) -> Double { score(ofMargin: margin(of: row)) }

    private func score(ofMargin margin: Double) -> Double {
        var value = margin
        if parsed.averages { value /= Double(parsed.trees.count) }
        switch parsed.link {
        case .identity: return value
        case .logistic(let slope): return 1 / (1 + exp(-slope * value))
        case .floatLogistic: return Double(1 / (expf(min(-Float(value), 88.7)) + 1 + 1e-16))
        }
    }

    /// Computes the predictions for many rows.
    /// - Parameters:
    ///   - rows: `count` rows of `featureCount` values, one after the other.
    ///   - scores: takes `count` scores.
    package func score(
        rows: UnsafeBufferPointer<Double>, count: Int, into scores: UnsafeMutableBufferPointer<Double>
    ) {
        precondition(rows.count == count * featureCount && scores.count >= count, "rows and scores fit the count")
        guard let values = rows.baseAddress else {
            for row in 0..<count { scores[row] = score(ofMargin: parsed.base) }
            return
        }
        switch sum {
        case .doubles(let evaluator):
            evaluator.margins(values, count: count, width: featureCount) { margins, first in
                for (row, margin) in margins.enumerated() { scores[first + row] = score(ofMargin: margin) }
            }
        case .floats(let evaluator):
            evaluator.margins(values, count: count, width: featureCount) { margins, first in
                for (row, margin) in margins.enumerated() { scores[first + row] = score(ofMargin: Double(margin)) }
            }
        }
    }

    /// Cost of `contributions(of:)` for one row, in steps of 2 to 5 ns.
    ///
    /// The sum over all leaves of the squared length of their paths.
    package var attributionWork: Int { max(1, parsed.attributionWork) }

    /// Returns the Shapley value of each feature for a row's margin, and the expected margin as last element.
    ///
    /// Shapley values with the trees' own counts standing in for absent features (LightGBM's
    /// `predict(pred_contrib=True)`, XGBoost's `pred_contribs=True`). They sum to the margin but for rounding: XGBoost
    /// sums in floats, this in doubles.
    /// - Parameter row: as for `margin(of:)`.
    package func contributions(of row: UnsafeBufferPointer<Double>) -> [Double] {
        precondition(row.count == featureCount, "a row has as many values as the forest has features")
        return PathAttribution.shares(of: parsed, row: row)
    }
}
