internal import Core

/// The kinds of files that sources may have.
///
/// ```swift
/// guard case .records(let open) = try SourceFormats.find(format.kind).reading else { return }
/// let reader = try open("landing/visits/2026-01.jsonl", format, nil)
/// ```
package enum SourceFormats {
    /// All kinds, in the order in which they are named to people.
    package static let all: [SourceFormatDescriptor] = [.csv, .parquet, .jsonLines, .excel]

    /// Names of the kinds.
    package static var kinds: [String] { all.map(\.kind) }

    /// The kind of this name.
    /// - Throws: `source.unknown-format`.
    package static func find(_ kind: String) throws -> SourceFormatDescriptor {
        guard let found = all.first(where: { $0.kind == kind }) else {
            throw MartletError(
                .input, "source.unknown-format", "There are no files of the format \(kind) here.",
                remedy: "Formats: \(kinds.joined(separator: ", ")).")
        }
        return found
    }

    /// What is no format of a source, by its first bytes.
    private static let foreign: [(bytes: [UInt8], what: String)] = [
        ([0xD0, 0xCF, 0x11, 0xE0], "it is an Excel 97 workbook; save it as .xlsx and set format: excel"),
        ([0x42, 0x5A, 0x68], "it is packed with bzip2; unpack it, or send it as gzip or Zstandard"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "it is packed with xz; unpack it, or send it as gzip or Zstandard"),
        (Array("%PDF".utf8), "it is a PDF document"),
        (Array("SQLite format 3".utf8), "it is an SQLite database"),
        (Array("ARROW1".utf8), "it is an Arrow file; save it as Parquet"),
    ]

    /// Refuses a file whose first bytes say that it is of another kind than its source.
    /// - Parameter head: the first bytes, unpacked.
    package static func refuseOther(than kind: String, _ head: [UInt8]) throws(FileRefusal) {
        let own = all.first { $0.kind == kind }?.signature ?? []
        if own.isEmpty {
            // A header may begin with the same letters; all of these have bytes that no text has.
            guard head.contains(where: { $0 < 9 || (14..<32).contains($0) }) else { return }
        } else if head.starts(with: own) {
            return
        }
        for other in all where !other.signature.isEmpty && head.starts(with: other.signature) {
            throw FileRefusal("it is \(other.title), and the source says \(kind); set format: \(other.kind)")
        }
        if let found = foreign.first(where: { head.starts(with: $0.bytes) }) { throw FileRefusal(found.what) }
    }
}

extension SourceFormatDescriptor {
    /// Parquet, which SQL engines read themselves.
    static let parquet = SourceFormatDescriptor(
        kind: "parquet", title: "a Parquet file", about: "nothing can be set", options: [],
        signature: Array("PAR1".utf8), reading: .engine)
}
