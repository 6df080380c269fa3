internal import Core
internal import DelimitedText
internal import DuckDB
internal import SourceFormats

/// Supplies the records of files to DuckDB as rows of texts, malformed records included.
///
/// Columns: the cells `c0`, `c1`, … (empty ones null; all null in a broken record), then `bytes`, the record as it came;
/// `broken`, why it cannot be taken apart; `line`, the text of a broken record; `f`, the file's place; `n`, the
/// record's number in the file or piece, from 1; `pad`, whether a cell of it may begin or end with a blank.
final class StagedTexts: TextRows {
    typealias Source = () throws -> (place: Int, piece: any RecordPiece)?

    let cells: Int
    let extra = [TextColumn("bytes", isBinary: true), TextColumn("broken"), TextColumn("line")]
    /// How many records there were, broken ones included, by place.
    private(set) var counts: [Int: Int] = [:]
    /// What ended the reading.
    private(set) var failure: (any Error)?

    private let next: Source
    private let picked: [Int: Set<Int64>]?
    private var place = 0
    private var current: (any RecordCursor)?
    /// All that were read, since DuckDB reads their bytes until the statement has run; and texts that are in none.
    private var cursors: [any RecordCursor] = []
    private var texts = TextArena()

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
            guard let cursor = current else {
                guard open() else { break }
                continue
            }
            let picked = picked?[place] ?? []
            var number = counts[place, default: 0]
            var isDone = false
            while row < block.capacity {
                guard cursor.next() else {
                    isDone = true
                    break
                }
                number += 1
                guard self.picked == nil || picked.contains(Int64(number)) else { continue }
                put(cursor, Int64(number), row, block)
                row += 1
            }
            counts[place] = number
            if isDone { current = nil }
        }
        return row
    }

    private func open() -> Bool {
        do {
            guard let (place, piece) = try next() else { return false }
            self.place = place
            counts[place, default: 0] += 0
            let cursor = piece.records(cells: cells)
            cursors.append(cursor)
            current = cursor
            return true
        } catch {
            failure = error
            return false
        }
    }

    private func put(_ record: any RecordCursor, _ number: Int64, _ row: Int, _ block: TextBlock) {
        if let bytes = record.bytes {
            block.put(bytes, column: cells, row: row)
        } else {
            block.putNull(column: cells, row: row)
        }
        if let reason = record.fault {
            for column in 0..<cells { block.putNull(column: column, row: row) }
            block.put(keep(reason), column: cells + 1, row: row)
            let text = record.text
            let isValid = UTF8Check.firstInvalid(text) == nil && !text.contains(0)
            block.put(
                isValid ? text : keep(String(decoding: text, as: UTF8.self).replacing("\0", with: "\u{2400}")),
                column: cells + 2, row: row)
            return block.put(place: Int64(place), number: number, isPadded: false, row: row)
        }
        block.putNull(column: cells + 1, row: row)
        block.putNull(column: cells + 2, row: row)
        let (all, arePadded) = record.cells()
        for column in 0..<cells {
            let cell = all[column]
            if let start = cell.start {
                block.put(start, cell.count, column: column, row: row)
            } else {
                block.putNull(column: column, row: row)
            }
        }
        block.put(place: Int64(place), number: number, isPadded: arePadded, row: row)
    }

    private func keep(_ text: String) -> UnsafeRawBufferPointer {
        let cell = texts.keep(Array(text.utf8))
        return UnsafeRawBufferPointer(start: cell.start, count: cell.count)
    }
}
