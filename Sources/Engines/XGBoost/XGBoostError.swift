internal import CXGBoost

/// An error reported by XGBoost.
package struct XGBoostError: Error, Sendable, CustomStringConvertible {
    /// XGBoost's last error on the calling thread, without its place in the library's own source.
    package let message: String
    package var description: String { message }

    /// Reads the library's last error on the thread that made the call.
    static func check(_ status: Int32) throws(XGBoostError) {
        guard status != 0 else { return }
        let text = XGBGetLastError().map { String(cString: $0) } ?? "the call failed"
        // "[12:00:00] /src/file.cc:123: what is wrong\nStack trace: …"
        let told = text.split(separator: "\nStack trace", maxSplits: 1).first ?? ""
        let line = told.firstMatch(of: #/^\[[0-9:]+\] \S+:[0-9]+: /#).map { told[$0.range.upperBound...] } ?? told
        throw XGBoostError(message: line.split(whereSeparator: \.isWhitespace).joined(separator: " "))
    }
}
