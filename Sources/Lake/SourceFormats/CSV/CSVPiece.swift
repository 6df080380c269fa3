internal import DelimitedText

/// A piece of a CSV file with whole records, as UTF-8, with the mapping to the original bytes.
///
/// Why `@unchecked Sendable` holds: nothing changes once it is made; the memory goes when the last reference does.
final class CSVPiece: RecordPiece, @unchecked Sendable {
    /// Offset of a line in the piece's text, and in its original bytes.
    struct Line {
        var text: Int
        var raw: Int
    }

    /// The records. Sixteen more bytes may be read behind them.
    let text: UnsafeRawBufferPointer
    /// How reading stands where the piece begins.
    let scanner: CSVScanner
    /// Whether all of it is UTF-8 without a NUL byte, so that no record need be looked at.
    let isClean: Bool
    private let memory: UnsafeMutableRawBufferPointer
    /// Of another encoding than UTF-8: the bytes as they came and where lines begin in them; empty for UTF-8.
    private let raw: UnsafeMutableRawBufferPointer
    private let lines: [Line]

    /// Takes the memory over.
    init(
        _ memory: UnsafeMutableRawBufferPointer, count: Int, _ scanner: CSVScanner, raw: [UInt8] = [],
        lines: [Line] = []
    ) {
        self.memory = memory
        text = UnsafeRawBufferPointer(rebasing: memory[..<count])
        self.scanner = scanner
        self.raw = .allocate(byteCount: raw.count + 16, alignment: 16)
        self.raw.copyBytes(from: raw)
        self.lines = lines
        isClean = UTF8Check.firstInvalid(text) == nil && !text.contains(0)
    }

    deinit {
        memory.deallocate()
        raw.deallocate()
    }

    /// The bytes of a record as they came. Records are asked for in their order. Sixteen more bytes may be read.
    /// - Parameter line: where the last answer was found; 0 at first.
    func bytes(_ start: Int, _ end: Int, from line: inout Int) -> UnsafeRawBufferPointer {
        if lines.isEmpty { return UnsafeRawBufferPointer(rebasing: text[start..<end]) }
        while line + 1 < lines.count, lines[line + 1].text <= start { line += 1 }
        var last = line
        while last + 1 < lines.count, lines[last + 1].text < end { last += 1 }
        let from = lines[line].raw
        let to = last + 1 < lines.count ? lines[last + 1].raw : raw.count - 16
        return UnsafeRawBufferPointer(rebasing: raw[from..<to])
    }

    package func records(cells: Int) -> any RecordCursor { CSVRecords(self, cells: cells) }
}
