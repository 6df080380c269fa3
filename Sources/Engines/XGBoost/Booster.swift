internal import CXGBoost

/// An XGBoost model in training. Used by one thread at a time.
///
/// ```swift
/// let booster = try Booster(on: dataset, parameters: [("objective", "binary:logistic"), ("nthread", "1")])
/// for round in 0..<100 { try booster.update(round) }
/// let file = try booster.file(rounds: 100)
/// ```
package final class Booster {
    private let handle: BoosterHandle?
    /// XGBoost keeps pointers into these.
    private let training: Dataset
    private let validation: Dataset?

    /// Starts training on a dataset.
    /// - Parameter validation: rows whose predictions are asked for between rounds.
    package init(
        on training: Dataset, validation: Dataset? = nil, parameters: [(name: String, value: String)]
    ) throws(XGBoostError) {
        let kept = [training.handle] + (validation.map { [$0.handle] } ?? [])
        var handle: BoosterHandle?
        try XGBoostError.check(XGBoosterCreate(kept, bst_ulong(kept.count), &handle))
        self.handle = handle
        self.training = training
        self.validation = validation
        for (name, value) in parameters { try XGBoostError.check(XGBoosterSetParam(handle, name, value)) }
    }

    deinit { XGBoosterFree(handle) }

    /// Trains one more round.
    /// - Parameter round: its number, from 0.
    package func update(_ round: Int) throws(XGBoostError) {
        try XGBoostError.check(XGBoosterUpdateOneIter(handle, Int32(round), training.handle))
    }

    /// Writes the current predictions for the validation rows, as probabilities, into `out`.
    package func validationPredictions(into out: inout [Double]) throws(XGBoostError) {
        guard let validation else { return }
        var shape: UnsafePointer<bst_ulong>?
        var dimensions: bst_ulong = 0
        var result: UnsafePointer<Float>?
        try XGBoostError.check(
            XGBoosterPredictFromDMatrix(
                handle, validation.handle,
                #"{"type": 0, "training": false, "iteration_begin": 0, "iteration_end": 0, "strict_shape": false}"#,
                &shape, &dimensions, &result))
        guard let result else { return }
        for row in 0..<min(out.count, validation.rows) { out[row] = Double(result[row]) }
    }

    /// Returns the first `rounds` rounds as a model file in Universal Binary JSON (`save_model("x.ubj")`).
    package func file(rounds: Int) throws(XGBoostError) -> [UInt8] {
        var length: bst_ulong = 0
        var bytes: UnsafePointer<CChar>?
        let sliced = try slice(rounds)
        defer { XGBoosterFree(sliced) }
        try XGBoostError.check(XGBoosterSaveModelToBuffer(sliced, #"{"format": "ubj"}"#, &length, &bytes))
        return Array(UnsafeRawBufferPointer(start: bytes, count: Int(length)))
    }

    /// Returns the total gain of each of `columns` features over the first `rounds` rounds.
    package func gain(rounds: Int, columns: Int) throws(XGBoostError) -> [Double] {
        let sliced = try slice(rounds)
        defer { XGBoosterFree(sliced) }
        var count: bst_ulong = 0
        var names: UnsafeMutablePointer<UnsafePointer<CChar>?>?
        var dimensions: bst_ulong = 0
        var shape: UnsafePointer<bst_ulong>?
        var scores: UnsafePointer<Float>?
        try XGBoostError.check(
            XGBoosterFeatureScore(
                sliced, #"{"importance_type": "total_gain"}"#, &count, &names, &dimensions, &shape, &scores))
        var gain = [Double](repeating: 0, count: columns)
        for place in 0..<Int(count) {
            // Without names of their own features are f0, f1, …; those that no tree uses are left out.
            guard let name = names?[place], let scores, let column = Int(String(cString: name).dropFirst()),
                gain.indices.contains(column)
            else { continue }
            gain[column] = Double(scores[place])
        }
        return gain
    }

    private func slice(_ rounds: Int) throws(XGBoostError) -> BoosterHandle? {
        var sliced: BoosterHandle?
        try XGBoostError.check(XGBoosterSlice(handle, 0, Int32(rounds), 1, &sliced))
        return sliced
    }
}
