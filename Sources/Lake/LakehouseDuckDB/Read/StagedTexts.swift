internal import Core
internal import DelimitedText
internal import DuckDB

/// Supplies the records of CSV files to DuckDB as rows of texts, malformed records included.
///
/// Columns: the cells `c0`, `c1`, … (empty ones null; all null in a broken record), then `bytes`, the record as it came;
/// `broken`, why it cannot be taken apart; `line`, the text of a broken record; `f`, the file's place; `n`, the
/// record's number in the file or piece, from 1; `pad`, whether a cell of it may begin or end with a blank.
final class StagedTexts: TextRows {
    typealias Source = () throws -> (place: Int, piece: CSVPiece)?

    let cells: Int
    let extra = [TextColumn("bytes", isBinary: true), TextColumn("broken"), TextColumn("line")]
    /// How many records there were, broken ones included, by place.
    private(set) var counts: [Int: Int] = [:]
    /// What ended the reading.
    private(set) var failure: (any Error)?

    private let next: Source
    private let picked: [Int: Set<Int64>]?
    private let record = CSVRecord()
    /// Keeps pieces until the statement has run, since DuckDB reads their bytes.
    private var pieces: [CSVPiece] = []
    private var place = 0
    private var scanner: CSVScanner?
    private var at = 0
    private var line = 0
    private var arena = TextArena()

    /// - Parameters:
    ///   - cells: how many a record must have.
    ///   - picked: by place the numbers of the records that are wanted; `nil` for all.
    ///   - next: the pieces in order; those of one file have one place and go on numbering.
    init(cells: Int, picked: [Int: Set<Int64>]? = nil, next: @escaping Source) {
        self.cells = cells
        self.picked = picked
        self.next = next
    }

    func fill(_ block: TextBlock) -> Int {
        var row = 0
        while row < block.capacity {
            guard var scanner = scanner, let piece = pieces.last else {
                guard open() else { break }
                continue
            }
            let picked = picked?[place] ?? []
            var number = counts[place, default: 0]
            var isDone = false
            reading: while row < block.capacity {
                switch scanner.next(piece.text, from: at, isLast: true, into: record) {
                case .record:
                    at = record.end
                    number += 1
                    guard self.picked == nil || picked.contains(Int64(number)) else { continue }
                    put(piece, Int64(number), row, block)
                    row += 1
                case .blank, .comment: at = record.end
                case .needsMore, .end:
                    isDone = true
                    break reading
                }
            }
            counts[place] = number
            self.scanner = isDone ? nil : scanner
        }
        return row
    }

    private func open() -> Bool {
        do {
            guard let (place, piece) = try next() else { return false }
            self.place = place
            pieces.append(piece)
            counts[place, default: 0] += 0
            scanner = piece.scanner
            at = 0
            line = 0
            return true
        } catch {
            failure = error
            return false
        }
    }

    private func put(_ piece: CSVPiece, _ number: Int64, _ row: Int, _ block: TextBlock) {
        var isPadded = false
        defer { block.put(place: Int64(place), number: number, isPadded: isPadded, row: row) }
        let bytes = piece.bytes(record.start, record.contentEnd, from: &line)
        block.put(bytes, column: cells, row: row)
        if let reason = fault(piece) {
            for column in 0..<cells { block.putNull(column: column, row: row) }
            block.put(arena.keep(Array(reason.utf8)), column: cells + 1, row: row)
            let text = UnsafeRawBufferPointer(rebasing: piece.text[record.start..<record.contentEnd])
            let isValid = piece.isClean || UTF8Check.firstInvalid(text) == nil && !text.contains(0)
            block.put(
                isValid
                    ? text
                    : arena.keep(Array(String(decoding: text, as: UTF8.self).replacing("\0", with: "\u{2400}").utf8)),
                column: cells + 2, row: row)
            return
        }
        block.putNull(column: cells + 1, row: row)
        block.putNull(column: cells + 2, row: row)
        guard let base = piece.text.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        let all = record.all
        for column in 0..<cells {
            let cell = all[column]
            if cell.end > cell.start, base[cell.start] <= 32 || base[cell.end &- 1] <= 32 { isPadded = true }
            if cell.hasEscapes {
                isPadded = true
                var text: [UInt8] = []
                CSVText.append(cell, of: piece.text, piece.scanner.dialect, to: &text)
                block.put(arena.keep(text), column: column, row: row)
            } else {
                block.put(base + cell.start, cell.end &- cell.start, column: column, row: row)
            }
        }
    }

    /// Why the record cannot be taken apart.
    private func fault(_ piece: CSVPiece) -> String? {
        if !piece.isClean {
            let text = UnsafeRawBufferPointer(rebasing: piece.text[record.start..<record.contentEnd])
            if let invalid = UTF8Check.firstInvalid(text) {
                let byte = String(text[invalid], radix: 16, uppercase: true)
                return "text in utf-8: byte \(invalid + 1) of the line, 0x\(byte), is none; it looks like "
                    + TextEncoding.guess(text)
            }
            if let zero = text.firstIndex(of: 0) { return "byte \(zero + 1) of the line is NUL" }
        }
        if let fault = record.fault { return fault.sentence }
        guard record.count != cells else { return nil }
        return "it has \(record.count) \(record.count == 1 ? "cell" : "cells"), and the header \(cells)"
    }
}

/// Memory for decoded texts, until the statement that reads them has run.
private struct TextArena {
    private final class Block {
        let memory: UnsafeMutableRawBufferPointer
        var used = 0
        init(_ size: Int) { memory = .allocate(byteCount: size, alignment: 16) }
        deinit { memory.deallocate() }
    }

    private var blocks: [Block] = []

    mutating func keep(_ text: [UInt8]) -> UnsafeRawBufferPointer {
        if blocks.last.map({ $0.memory.count - $0.used < text.count + 16 }) ?? true {
            blocks.append(Block(max(1 << 18, text.count + 16)))
        }
        guard let block = blocks.last else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let place = UnsafeMutableRawBufferPointer(rebasing: block.memory[block.used..<(block.used + text.count)])
        place.copyBytes(from: text)
        block.used += text.count
        return UnsafeRawBufferPointer(place)
    }
}
