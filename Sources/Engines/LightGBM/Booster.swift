internal import CLightGBM

/// A LightGBM model in training, or one loaded from text. Used by one thread at a time.
///
/// ```swift
/// let booster = try Booster(on: dataset, parameters: "objective=binary num_threads=2")
/// while try !booster.update() {}
/// let text = try booster.text(iterations: 100)
/// ```
package final class Booster {
    private let handle: BoosterHandle?
    /// LightGBM keeps pointers into these.
    private let training: Dataset?
    private var validation: Dataset?

    /// Starts training on a dataset.
    package init(on dataset: Dataset, parameters: String) throws(LightGBMError) {
        Booster.silence()
        var handle: BoosterHandle?
        try LightGBMError.check(LGBM_BoosterCreate(dataset.handle, parameters, &handle))
        self.handle = handle
        training = dataset
    }

    /// Loads a model from LightGBM's text format.
    package init(text: [UInt8]) throws(LightGBMError) {
        Booster.silence()
        var handle: BoosterHandle?
        var iterations: Int32 = 0
        let status = (text + [0]).withUnsafeBytes {
            LGBM_BoosterLoadModelFromString($0.assumingMemoryBound(to: CChar.self).baseAddress, &iterations, &handle)
        }
        try LightGBMError.check(status)
        self.handle = handle
        training = nil
    }

    deinit { LGBM_BoosterFree(handle) }

    /// The library's version of the text format is part of the text; this is the library's own thread default.
    private static func silence() { LGBM_RegisterLogCallback { _ in } }

    /// Adds validation data, for which predictions are kept after each iteration.
    package func validate(on dataset: Dataset) throws(LightGBMError) {
        try LightGBMError.check(LGBM_BoosterAddValidData(handle, dataset.handle))
        validation = dataset
    }

    /// Trains one more iteration (tree).
    /// - Returns: `true` when no tree could be split any further: training is over.
    package func update() throws(LightGBMError) -> Bool {
        var finished: Int32 = 0
        try LightGBMError.check(LGBM_BoosterUpdateOneIter(handle, &finished))
        return finished != 0
    }

    /// Writes the current predictions for the validation rows, as probabilities, into `out`.
    package func validationPredictions(into out: inout [Double]) throws(LightGBMError) {
        var count: Int64 = 0
        let status = out.withUnsafeMutableBufferPointer { LGBM_BoosterGetPredict(handle, 1, &count, $0.baseAddress) }
        try LightGBMError.check(status)
    }

    /// Returns the first `iterations` trees in LightGBM's text format.
    package func text(iterations: Int) throws(LightGBMError) -> [UInt8] {
        var needed: Int64 = 0
        var buffer = [CChar](repeating: 0, count: 1 << 20)
        for _ in 0..<2 {
            let capacity = Int64(buffer.count)
            let status = buffer.withUnsafeMutableBufferPointer {
                LGBM_BoosterSaveModelToString(
                    handle, 0, Int32(iterations), C_API_FEATURE_IMPORTANCE_GAIN, capacity, &needed, $0.baseAddress)
            }
            try LightGBMError.check(status)
            if needed <= capacity { break }
            buffer = [CChar](repeating: 0, count: Int(needed))
        }
        return buffer.prefix(Int(max(0, needed - 1))).map { UInt8(bitPattern: $0) }
    }

    /// Returns the total gain of the splits on each column, over the first `iterations` trees.
    package func gain(iterations: Int, columns: Int) throws(LightGBMError) -> [Double] {
        var out = [Double](repeating: 0, count: columns)
        let status = out.withUnsafeMutableBufferPointer {
            LGBM_BoosterFeatureImportance(
                handle, Int32(iterations), C_API_FEATURE_IMPORTANCE_GAIN, $0.baseAddress)
        }
        try LightGBMError.check(status)
        return out
    }

    /// Number of columns that the model expects.
    package func columnCount() throws(LightGBMError) -> Int {
        var count: Int32 = 0
        try LightGBMError.check(LGBM_BoosterGetNumFeature(handle, &count))
        return Int(count)
    }

    /// Returns one prediction a row: the probability, or the averaged leaf value of a model without an objective.
    package func predict(values: [Double], rows: Int, columns: Int, threads: Int) throws(LightGBMError) -> [Double] {
        var out = [Double](repeating: 0, count: rows)
        guard rows > 0 else { return out }
        var length: Int64 = 0
        let status = values.withUnsafeBytes { data in
            out.withUnsafeMutableBufferPointer {
                LGBM_BoosterPredictForMat(
                    handle, data.baseAddress, C_API_DTYPE_FLOAT64, Int32(rows), Int32(columns), 0,
                    C_API_PREDICT_NORMAL, 0, -1, "num_threads=\(threads)", &length, $0.baseAddress)
            }
        }
        try LightGBMError.check(status)
        return out
    }
}
