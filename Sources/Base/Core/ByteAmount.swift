/// Parser for byte sizes as people write them: "512MB", "2GiB".
///
/// ```swift
/// ByteAmount.bytes("512MB")  // 512_000_000
/// ByteAmount.bytes("2GiB")   // 2_147_483_648
/// ```
package enum ByteAmount {
    private static let units: [String: Double] = [
        "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 0x1p10, "MiB": 0x1p20, "GiB": 0x1p30, "TiB": 0x1p40,
    ]

    /// Parses a size with a unit to a number of bytes.
    /// - Returns: `nil` unless the text is a number with a unit that comes to at least one byte.
    package static func bytes(_ text: String) -> Int64? {
        let number = text.prefix { $0.isNumber || $0 == "." }
        guard let amount = Double(number), let unit = units[String(text.dropFirst(number.count))],
            amount * unit >= 1, amount * unit < 0x1p60
        else { return nil }
        return Int64(amount * unit)
    }
}
