internal import CLightGBM

/// An error reported by LightGBM.
package struct LightGBMError: Error, Sendable, CustomStringConvertible {
    /// LightGBM's last error on the calling thread; "the call failed" when it gives none.
    package let message: String
    package var description: String { message }

    /// Reads the library's last error on the thread that made the call.
    static func check(_ status: Int32) throws(LightGBMError) {
        guard status != 0 else { return }
        throw LightGBMError(message: LGBM_GetLastError().map { String(cString: $0) } ?? "the call failed")
    }
}
