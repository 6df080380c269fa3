internal import CXGBoost

/// Rows with their labels, owned by XGBoost. Used by one thread at a time.
///
/// ```swift
/// let dataset = try Dataset(
///     values: values, rows: 1000, columns: 4, labels: labels, categorical: [false, false, true, false])
/// ```
package final class Dataset {
    let handle: DMatrixHandle?
    /// Number of rows.
    package let rows: Int

    /// Copies a column-major matrix, its values rounded to floats as the library keeps them.
    /// - Parameters:
    ///   - values: rows x columns, one column after the other; NaN is missing.
    ///   - labels: 0 or 1 a row.
    ///   - categorical: whether each column holds the codes of categories.
    package init(
        values: [Double], rows: Int, columns: Int, labels: [UInt8], categorical: [Bool]
    ) throws(XGBoostError) {
        self.rows = rows
        let largest = Double(Float.greatestFiniteMagnitude)
        // The library takes rows one after the other, and no infinite values.
        let floats = [Float](unsafeUninitializedCapacity: rows * columns) { out, count in
            for column in 0..<columns {
                for row in 0..<rows {
                    let value = values[column * rows + row]
                    out[row * columns + column] = value.isNaN ? .nan : Float(max(-largest, min(largest, value)))
                }
            }
            count = rows * columns
        }
        var handle: DMatrixHandle?
        try XGBoostError.check(
            XGDMatrixCreateFromMat_omp(floats, bst_ulong(rows), bst_ulong(columns), .nan, &handle, 1))
        self.handle = handle
        try setLabels(labels.map(Float.init))
        try setTypes(categorical)
    }

    deinit { XGDMatrixFree(handle) }

    private func setLabels(_ labels: [Float]) throws(XGBoostError) {
        let status = labels.withUnsafeBytes { bytes in
            let address = UInt(bitPattern: bytes.baseAddress)
            return XGDMatrixSetInfoFromInterface(
                handle, "label",
                #"{"data": [\#(address), true], "shape": [\#(labels.count)], "typestr": "<f4", "version": 3}"#)
        }
        try XGBoostError.check(status)
    }

    private func setTypes(_ categorical: [Bool]) throws(XGBoostError) {
        guard categorical.contains(true) else { return }
        let status = "q".withCString { quantity in
            "c".withCString { category in
                var types = categorical.map { Optional($0 ? category : quantity) }
                return XGDMatrixSetStrFeatureInfo(handle, "feature_type", &types, bst_ulong(types.count))
            }
        }
        try XGBoostError.check(status)
    }
}
