import Foundation

/// What the evaluator is measured against.
protocol Peer {
    /// The score of one row.
    func score(_ row: UnsafePointer<Double>) -> Double
    func batch(_ count: Int)
}

struct PeerFailure: Error, CustomStringConvertible { let description: String }

/// A function of a library that is loaded at run time, so that the evaluator's program links none.
func function<T>(_ library: UnsafeMutableRawPointer, _ name: String, as type: T.Type) throws -> T {
    guard let symbol = dlsym(library, name) else { throw PeerFailure(description: "no \(name)") }
    return unsafeBitCast(symbol, to: type)
}

func check(_ status: Int32, _ what: String) throws {
    if status != 0 { throw PeerFailure(description: "\(what) failed") }
}

/// LightGBM by its C interface, one thread.
final class LightGBMPeer: Peer {
    typealias Load =
        @convention(c) (
            UnsafePointer<CChar>, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<OpaquePointer?>
        ) -> Int32
    typealias Prepare =
        @convention(c) (
            OpaquePointer?, Int32, Int32, Int32, Int32, Int32, UnsafePointer<CChar>,
            UnsafeMutablePointer<OpaquePointer?>
        ) -> Int32
    typealias One =
        @convention(c) (
            OpaquePointer?, UnsafeRawPointer, UnsafeMutablePointer<Int64>, UnsafeMutablePointer<Double>
        ) -> Int32
    typealias Many =
        @convention(c) (
            OpaquePointer?, UnsafeRawPointer, Int32, Int32, Int32, Int32, Int32, Int32, Int32, UnsafePointer<CChar>,
            UnsafeMutablePointer<Int64>, UnsafeMutablePointer<Double>
        ) -> Int32

    private let one: One
    private let many: Many
    private var booster: OpaquePointer?
    private var fast: OpaquePointer?
    private let rows: UnsafePointer<Double>
    private let width: Int
    private let out: UnsafeMutablePointer<Double>

    init(library: UnsafeMutableRawPointer, model: [UInt8], rows: UnsafePointer<Double>, count: Int, width: Int) throws {
        one = try function(library, "LGBM_BoosterPredictForMatSingleRowFast", as: One.self)
        many = try function(library, "LGBM_BoosterPredictForMat", as: Many.self)
        self.rows = rows
        self.width = width
        out = .allocate(capacity: count)
        let load = try function(library, "LGBM_BoosterLoadModelFromString", as: Load.self)
        let prepare = try function(library, "LGBM_BoosterPredictForMatSingleRowFastInit", as: Prepare.self)
        var iterations: Int32 = 0
        let text = (model + [0]).map { CChar(bitPattern: $0) }
        try check(load(text, &iterations, &booster), "loading")
        // 0: normal prediction; 1: doubles.
        try check(prepare(booster, 0, 0, -1, 1, Int32(width), "num_threads=1", &fast), "preparing")
    }

    func score(_ row: UnsafePointer<Double>) -> Double {
        var length: Int64 = 0
        var value = 0.0
        _ = one(fast, row, &length, &value)
        return value
    }

    func batch(_ count: Int) {
        var length: Int64 = 0
        _ = many(booster, rows, 1, Int32(count), Int32(width), 1, 0, 0, -1, "num_threads=1", &length, out)
    }
}

/// XGBoost by its C interface, in place on floats, one thread.
final class XGBoostPeer: Peer {
    typealias Create = @convention(c) (OpaquePointer?, UInt64, UnsafeMutablePointer<OpaquePointer?>) -> Int32
    typealias Load = @convention(c) (OpaquePointer?, UnsafeRawPointer, UInt64) -> Int32
    typealias Set = @convention(c) (OpaquePointer?, UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
    typealias Predict =
        @convention(c) (
            OpaquePointer?, UnsafePointer<CChar>, UnsafePointer<CChar>, OpaquePointer?,
            UnsafeMutablePointer<UnsafePointer<UInt64>?>, UnsafeMutablePointer<UInt64>,
            UnsafeMutablePointer<UnsafePointer<Float>?>
        ) -> Int32

    private let predict: Predict
    private var booster: OpaquePointer?
    private let floats: UnsafeMutablePointer<Float>
    private let width: Int
    private let config =
        "{\"type\": 0, \"iteration_begin\": 0, \"iteration_end\": 0, \"missing\": NaN, \"strict_shape\": false}"

    init(library: UnsafeMutableRawPointer, model: [UInt8], rows: UnsafePointer<Double>, count: Int, width: Int) throws {
        predict = try function(library, "XGBoosterPredictFromDense", as: Predict.self)
        self.width = width
        floats = .allocate(capacity: count * width)
        for place in 0..<count * width { floats[place] = Float(rows[place]) }
        try check(try function(library, "XGBoosterCreate", as: Create.self)(nil, 0, &booster), "creating")
        let load = try function(library, "XGBoosterLoadModelFromBuffer", as: Load.self)
        try check(load(booster, model, UInt64(model.count)), "loading")
        try check(try function(library, "XGBoosterSetParam", as: Set.self)(booster, "nthread", "1"), "setting")
    }

    func score(_ row: UnsafePointer<Double>) -> Double {
        for place in 0..<width { floats[place] = Float(row[place]) }
        return Double(result(1))
    }

    func batch(_ count: Int) { _ = result(count) }

    private func result(_ count: Int) -> Float {
        let data =
            "{\"data\": [\(UInt(bitPattern: floats)), true], \"shape\": [\(count), \(width)], "
            + "\"typestr\": \"<f4\", \"version\": 3}"
        var shape: UnsafePointer<UInt64>?
        var dimensions: UInt64 = 0
        var out: UnsafePointer<Float>?
        _ = predict(booster, data, config, nil, &shape, &dimensions, &out)
        return out?[0] ?? .nan
    }
}
