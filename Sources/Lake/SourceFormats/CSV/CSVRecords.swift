internal import DelimitedText

/// Goes through the records of a piece of a CSV file.
final class CSVRecords: RecordCursor {
    private let piece: CSVPiece
    private let width: Int
    private let record = CSVRecord()
    private var scanner: CSVScanner
    private var at = 0
    private var line = 0
    private var arena = TextArena()
    private let row: UnsafeMutableBufferPointer<SourceCell>

    init(_ piece: CSVPiece, cells: Int) {
        self.piece = piece
        width = cells
        scanner = piece.scanner
        row = .allocate(capacity: max(1, cells))
        row.initialize(repeating: SourceCell(nil, 0))
    }

    deinit { row.deallocate() }

    func next() -> Bool {
        while true {
            switch scanner.next(piece.text, from: at, isLast: true, into: record) {
            case .record:
                at = record.end
                return true
            case .blank, .comment: at = record.end
            case .needsMore, .end: return false
            }
        }
    }

    func cells() -> (all: UnsafeBufferPointer<SourceCell>, arePadded: Bool) {
        let all = UnsafeBufferPointer(rebasing: row[..<width])
        guard let base = piece.text.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return (all, false) }
        var arePadded = false
        let found = record.all
        for column in 0..<width {
            let cell = found[column]
            if cell.end > cell.start, base[cell.start] <= 32 || base[cell.end &- 1] <= 32 { arePadded = true }
            if cell.hasEscapes {
                arePadded = true
                var text: [UInt8] = []
                CSVText.append(cell, of: piece.text, piece.scanner.dialect, to: &text)
                row[column] = arena.keep(text)
            } else {
                row[column] = SourceCell(base + cell.start, cell.end &- cell.start)
            }
        }
        return (all, arePadded)
    }

    var bytes: UnsafeRawBufferPointer? { piece.bytes(record.start, record.contentEnd, from: &line) }

    var text: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: piece.text[record.start..<record.contentEnd]) }

    var fault: String? {
        if !piece.isClean {
            if let invalid = UTF8Check.firstInvalid(text) {
                let byte = String(text[invalid], radix: 16, uppercase: true)
                return "text in utf-8: byte \(invalid + 1) of the line, 0x\(byte), is none; it looks like "
                    + TextEncoding.guess(text)
            }
            if let zero = text.firstIndex(of: 0) { return "byte \(zero + 1) of the line is NUL" }
        }
        if let fault = record.fault { return fault.sentence }
        guard record.count != width else { return nil }
        return "it has \(record.count) \(record.count == 1 ? "cell" : "cells"), and the header \(width)"
    }
}
