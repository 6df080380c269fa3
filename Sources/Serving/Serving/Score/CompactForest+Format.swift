package import Core
package import Forests
internal import Training

extension CompactForest {
    /// Parses a model file in a format by the name that a run stores: "lightgbm-text", "xgboost-ubj".
    /// - Throws: `model.unknown-format`; `forest.format`, `forest.tree`, `forest.unsupported`.
    package init(format: String, _ bytes: [UInt8]) throws(MartletError) {
        switch format {
        case "lightgbm-text": try self.init(lightGBM: bytes)
        case "xgboost-ubj": try self.init(xgboostUBJ: bytes)
        default: throw ModelRecord.unknownFormat(format)
        }
    }
}
