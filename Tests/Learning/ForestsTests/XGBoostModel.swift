import CXGBoost

/// A model trained by the XGBoost library, for as long as this lives.
final class XGBoostModel {
    struct Failure: Error { let message: String }

    private var booster: BoosterHandle?
    private var data: DMatrixHandle?

    private static func check(_ status: Int32) throws {
        if status != 0 { throw Failure(message: String(cString: XGBGetLastError())) }
    }

    private static func matrix(_ values: [Float], columns: Int, categorical: Bool) throws -> DMatrixHandle? {
        var matrix: DMatrixHandle?
        let rows = UInt64(values.count / columns)
        try check(XGDMatrixCreateFromMat(values, rows, UInt64(columns), .nan, &matrix))
        let kinds = (0..<columns).map { categorical && $0 == columns - 1 ? "c" : "float" }
        let texts = kinds.map { Array($0.utf8CString) }
        // The pointers live as long as the flat buffer they point into.
        let flat = texts.flatMap { $0 }
        try flat.withUnsafeBufferPointer { flat in
            var offset = 0
            var pointers: [UnsafePointer<CChar>?] = []
            for text in texts {
                pointers.append(flat.baseAddress.map { $0 + offset })
                offset += text.count
            }
            try check(XGDMatrixSetStrFeatureInfo(matrix, "feature_type", &pointers, UInt64(columns)))
        }
        return matrix
    }

    init(_ samples: Samples, _ parameters: [String: String], rounds: Int, categorical: Bool) throws {
        let columns = Samples.columns
        data = try Self.matrix(samples.values.map { Float($0) }, columns: columns, categorical: categorical)
        let labels = samples.labels.map { Float($0) }
        try Self.check(XGDMatrixSetFloatInfo(data, "label", labels, UInt64(labels.count)))
        var matrices = [data]
        try Self.check(XGBoosterCreate(&matrices, 1, &booster))
        let common = ["nthread": "1", "seed": "3", "verbosity": "0"]
        for (name, value) in common.merging(parameters, uniquingKeysWith: { $1 }) {
            try Self.check(XGBoosterSetParam(booster, name, value))
        }
        for round in 0..<rounds { try Self.check(XGBoosterUpdateOneIter(booster, Int32(round), data)) }
    }

    deinit {
        XGBoosterFree(booster)
        XGDMatrixFree(data)
    }

    /// The model file: "json" or "ubj".
    func file(_ format: String) throws -> [UInt8] {
        var length: UInt64 = 0
        var bytes: UnsafePointer<CChar>?
        try Self.check(XGBoosterSaveModelToBuffer(booster, "{\"format\": \"\(format)\"}", &length, &bytes))
        return UnsafeBufferPointer(start: bytes, count: Int(length)).map { UInt8(bitPattern: $0) }
    }

    /// - Parameter type: 0 for scores, 1 for margins, 2 for contributions.
    func predict(_ values: [Double], type: Int, categorical: Bool) throws -> [Float] {
        let matrix = try Self.matrix(values.map { Float($0) }, columns: Samples.columns, categorical: categorical)
        defer { XGDMatrixFree(matrix) }
        let config =
            "{\"type\": \(type), \"training\": false, \"iteration_begin\": 0, \"iteration_end\": 0, \"strict_shape\": false}"
        var shape: UnsafePointer<UInt64>?
        var dimensions: UInt64 = 0
        var out: UnsafePointer<Float>?
        try Self.check(XGBoosterPredictFromDMatrix(booster, matrix, config, &shape, &dimensions, &out))
        let count = (0..<Int(dimensions)).reduce(1) { $0 * Int(shape?[$1] ?? 0) }
        return Array(UnsafeBufferPointer(start: out, count: count))
    }
}
