internal import Core
internal import DelimitedText
internal import JSONText

/// Reads a JSON Lines file: a JSON object (RFC 8259) a line, in UTF-8.
///
/// The file is gone through for the names before the first record is given: one may lack members, and any may bring a
/// new one.
final class JSONLinesReader: SourceReader {
    let header: [String]?
    let packing: String?
    private let columns: JSONColumns
    private let lines: LineChunks
    /// A whole small file, which need not be read again.
    private var whole: LineChunks.Chunk?

    init(_ path: String, _ format: SourceFormat, target: Int?) throws {
        let columns = JSONColumns()
        // How much a packed file holds is not known before it has been read.
        let isPacked = try FileRefusal.ofDamage { try ByteStream(path) }.packing != .none
        let target = target ?? (isPacked ? 24 << 20 : nil)
        let first = try LineChunks(path, target: target)
        try SourceFormats.refuseOther(than: format.kind, first.head)
        try Self.refuseOtherText(first.head)
        var hasRecords = false
        while let chunk = try first.next() {
            try chunk.forEachLine { line in
                hasRecords = true
                try columns.add(line)
            }
            if target == nil { whole = chunk }
        }
        guard hasRecords else { throw FileRefusal("it has no records") }
        guard !columns.names.isEmpty else { throw FileRefusal("no line of it is a JSON object with members") }
        self.columns = columns
        header = columns.names
        packing = first.packing
        lines = whole == nil ? try LineChunks(path, target: target) : first
    }

    var isExhausted: Bool { whole == nil && lines.isExhausted }

    func next() throws -> (any RecordPiece)? {
        if let chunk = whole {
            whole = nil
            return JSONPiece(chunk, columns)
        }
        return try lines.next().map { JSONPiece($0, columns) }
    }

    /// Refuses what is text of another kind.
    private static func refuseOtherText(_ head: [UInt8]) throws {
        if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) || head.prefix(2).contains(0) {
            throw FileRefusal("it is in UTF-16 or UTF-32, and JSON Lines are UTF-8")
        }
        let bytes = head.starts(with: [0xEF, 0xBB, 0xBF]) ? head.dropFirst(3) : head[...]
        let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        if first == UInt8(ascii: "[") {
            throw FileRefusal("it is one JSON array; write its items one a line, for example with jq -c '.[]'")
        }
    }
}

extension SourceFormatDescriptor {
    /// JSON Lines: an object a line.
    static let jsonLines = SourceFormatDescriptor(
        kind: "jsonl", title: "a JSON Lines file", about: "how the cells of its JSON Lines files are read",
        options: SourceOption.cells, reading: .records { try JSONLinesReader($0, $1, target: $2) },
        cells: { record, _, header, _ in try JSONRecord.cells(of: record, header) })
}
