internal import CLightGBM

/// Information about the linked LightGBM library.
///
/// ```swift
/// let aliases = try LightGBMLibrary.parameterAliases()
/// ```
package enum LightGBMLibrary {
    /// Returns all parameter names with their aliases, as the library's own JSON object `{"name": ["alias", ...]}`.
    package static func parameterAliases() throws(LightGBMError) -> String {
        var needed: Int64 = 0
        var buffer = [CChar](repeating: 0, count: 1 << 16)
        for _ in 0..<2 {
            let capacity = Int64(buffer.count)
            let status = buffer.withUnsafeMutableBufferPointer {
                LGBM_DumpParamAliases(capacity, &needed, $0.baseAddress)
            }
            try LightGBMError.check(status)
            if needed <= capacity { break }
            buffer = [CChar](repeating: 0, count: Int(needed))
        }
        return String(decoding: buffer.prefix(Int(max(0, needed - 1))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
