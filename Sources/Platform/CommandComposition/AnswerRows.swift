internal import DelimitedText
internal import DuckDB
internal import Foundation

/// Supplies a batch's answer, read incrementally from CSV, to the SQL engine as rows.
///
/// What the engine has taken is freed, so that an answer of any length needs the memory of a piece.
///
/// Cells without a text are NULL, quoted ones without a text are empty texts.
final class AnswerRows: TextRows {
    let cells: Int
    let extra: [TextColumn] = []
    /// The record that has not as many cells as there are columns, or cannot be taken apart; nothing behind it is read.
    private(set) var brokenLine: Int?

    /// Bytes that cells need behind them, so that short ones can be read as whole words.
    private static let behind = 16

    private let piece: Int
    private let read: (Int) -> Data
    private let record = CSVRecord()
    private var scanner: CSVScanner
    private var bytes: [UInt8] = []
    /// Bytes of `bytes` that are text, and those that were given.
    private var count = 0
    private var at = 0
    private var isAtEnd = false
    private var number = 0

    /// - Parameters:
    ///   - columns: those of the answer; its header is left out.
    ///   - piece: about how many bytes are read, and given, at a time.
    ///   - read: gives so many bytes at most, and none at the end.
    init(columns: Int, piece: Int, read: @escaping (Int) -> Data) {
        cells = columns
        self.piece = piece
        self.read = read
        scanner = CSVScanner(CSVDialect())
        scanner.width = columns
    }

    func fill(_ block: TextBlock) -> Int {
        forget()
        var rows = 0
        // What was given stays where it is until the next call: more is read only as long as nothing was.
        while rows < block.capacity, brokenLine == nil {
            let step = bytes.withUnsafeBytes {
                let text = UnsafeRawBufferPointer(rebasing: $0[..<count])
                return scanner.next(text, from: at, isLast: isAtEnd, into: record)
            }
            switch step {
            case .record:
                number += 1
                at = record.end
                guard record.fault == nil, record.count == cells else {
                    brokenLine = number
                    return rows
                }
                guard number > 1 else { continue }
                put(into: block, row: rows)
                rows += 1
            case .blank where cells == 1 && number > 0:
                // A line of nothing is a value that is missing where there is no other.
                at = record.end
                block.putNull(column: 0, row: rows)
                rows += 1
            case .blank, .comment: at = record.end
            case .end: return rows
            case .needsMore:
                if rows > 0 { return rows }
                readOn()
            }
        }
        return rows
    }

    private func put(into block: TextBlock, row: Int) {
        bytes.withUnsafeMutableBytes { bytes in
            for (column, cell) in record.all.enumerated() {
                var end = cell.end
                if cell.hasEscapes {
                    // A doubled quote is one; the text only becomes shorter.
                    end = cell.start
                    var from = cell.start
                    while from < cell.end {
                        if bytes[from] == UInt8(ascii: "\"") { from += 1 }
                        bytes[end] = bytes[from]
                        (end, from) = (end + 1, from + 1)
                    }
                }
                if end > cell.start {
                    block.put(UnsafeRawBufferPointer(rebasing: bytes[cell.start..<end]), column: column, row: row)
                } else if cell.isQuoted {
                    block.putEmpty(column: column, row: row)
                } else {
                    block.putNull(column: column, row: row)
                }
            }
        }
    }

    /// Moves what was not given yet to the front.
    private func forget() {
        guard at > 0 else { return }
        scanner.consumed(at)
        bytes.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            memmove(base, base + at, count - at)
        }
        count -= at
        at = 0
    }

    private func readOn() {
        forget()
        let more = read(piece)
        isAtEnd = more.isEmpty
        let needed = count + more.count + Self.behind
        if bytes.count < needed { bytes.append(contentsOf: repeatElement(0, count: needed - bytes.count)) }
        bytes.replaceSubrange(count..<(count + more.count), with: more)
        count += more.count
    }
}
