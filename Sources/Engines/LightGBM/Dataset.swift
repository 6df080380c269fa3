internal import CLightGBM

/// Binned training data, owned by LightGBM. Used by one thread at a time.
///
/// ```swift
/// let dataset = try Dataset(values: values, rows: 1000, columns: 4, labels: labels, parameters: "max_bin=255")
/// ```
package final class Dataset {
    let handle: DatasetHandle?
    /// Number of rows of the binned matrix.
    package let rows: Int
    /// Number of features of the binned matrix.
    package let columns: Int

    /// Bins a column-major matrix.
    /// - Parameters:
    ///   - values: rows x columns, one column after the other; NaN is missing.
    ///   - labels: 0 or 1 a row.
    ///   - parameters: LightGBM's, e.g. `max_bin`, `categorical_feature`.
    ///   - reference: bins to share (validation data take the training data's).
    package init(
        values: [Double], rows: Int, columns: Int, labels: [UInt8], parameters: String, reference: Dataset? = nil
    ) throws(LightGBMError) {
        self.rows = rows
        self.columns = columns
        var handle: DatasetHandle?
        let status = values.withUnsafeBytes {
            LGBM_DatasetCreateFromMat(
                $0.baseAddress, C_API_DTYPE_FLOAT64, Int32(rows), Int32(columns), 0, parameters, reference?.handle,
                &handle)
        }
        try LightGBMError.check(status)
        self.handle = handle
        let floats = labels.map(Float.init)
        let set = floats.withUnsafeBytes {
            LGBM_DatasetSetField(handle, "label", $0.baseAddress, Int32(rows), C_API_DTYPE_FLOAT32)
        }
        try LightGBMError.check(set)
    }

    /// Sets the column names that the model text shows.
    package func setNames(_ names: [String]) throws(LightGBMError) {
        var pointers: [UnsafeMutablePointer<CChar>?] = names.map { name in
            let bytes = Array(name.utf8CString)
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            copy.initialize(from: bytes, count: bytes.count)
            return copy
        }
        defer { for pointer in pointers { pointer?.deallocate() } }
        let status = pointers.withUnsafeMutableBufferPointer { buffer in
            buffer.withMemoryRebound(to: UnsafePointer<CChar>?.self) {
                LGBM_DatasetSetFeatureNames(handle, $0.baseAddress, Int32(names.count))
            }
        }
        try LightGBMError.check(status)
    }

    deinit { LGBM_DatasetFree(handle) }
}
