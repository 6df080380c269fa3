internal import CXGBoost

/// Information about the linked XGBoost library.
///
/// ```swift
/// print(XGBoostLibrary.version)
/// ```
package enum XGBoostLibrary {
    /// Version of the linked library: "3.2.0".
    package static var version: String {
        var major: Int32 = 0
        var minor: Int32 = 0
        var patch: Int32 = 0
        XGBoostVersion(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }
}
