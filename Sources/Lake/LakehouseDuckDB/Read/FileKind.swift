internal import Lakehouse

/// Recognises a file's type by its first bytes, where it differs from what its source declares.
enum FileKind {
    private static let signatures: [(bytes: [UInt8], what: String)] = [
        (Array("PAR1".utf8), "it is a Parquet file, and the source says csv; set format: parquet"),
        ([0x50, 0x4B, 0x03, 0x04], "it is a zip archive or an Excel workbook; save the table in it as CSV"),
        ([0xD0, 0xCF, 0x11, 0xE0], "it is an Excel 97 workbook; save the table in it as CSV"),
        ([0x42, 0x5A, 0x68], "it is packed with bzip2; unpack it, or send it as gzip or Zstandard"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "it is packed with xz; unpack it, or send it as gzip or Zstandard"),
        (Array("%PDF".utf8), "it is a PDF document"),
        (Array("SQLite format 3".utf8), "it is an SQLite database"),
        (Array("ARROW1".utf8), "it is an Arrow file; save it as Parquet"),
    ]

    /// Why a file that begins like this cannot be of that kind; `nil` when it may be.
    /// - Parameter head: the first bytes, unpacked.
    static func other(than kind: SourceFormat.Kind, _ head: [UInt8]) -> String? {
        if kind == .parquet {
            if head.starts(with: Array("PAR1".utf8)) { return nil }
            return signatures.dropFirst().first { head.starts(with: $0.bytes) }?.what
        }
        // A header may begin with the same letters; all of these have bytes that no text has.
        guard head.contains(where: { $0 < 9 || (14..<32).contains($0) }) else { return nil }
        return signatures.first { head.starts(with: $0.bytes) }?.what
    }
}
