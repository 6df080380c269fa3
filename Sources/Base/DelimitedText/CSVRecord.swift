/// One parsed record: positions of its cells in the caller's buffer, nothing copied; reused for record after record.
///
/// Filled by ``CSVScanner/next(_:from:isLast:into:)``. Not Sendable: belongs to one scan.
///
/// ```swift
/// while scanner.next(bytes, from: record.end, isLast: true, into: record) == .record {
///     print(CSVText.strings(record, of: bytes, dialect))
/// }
/// ```
package final class CSVRecord {
    /// Position of one cell's text in the buffer, its quotes left out.
    package struct Cell {
        /// Offset of the text's first byte in the buffer that was scanned.
        package var start: Int
        /// Offset just behind the text's last byte.
        package var end: Int
        /// Whether the cell was enclosed in quotes.
        package var isQuoted: Bool
        /// Whether the cell has doubled quotes or escaped bytes, so that its text has to be decoded.
        package var hasEscapes: Bool
    }

    /// Why a record cannot be split into cells.
    package enum Fault: Sendable, Equatable {
        /// The quote that opens a cell is never closed, or not within `CSVDialect.longestQuotedRecord`.
        case unclosedQuote
        /// Something else than a delimiter or a line's end stands behind a closing quote.
        case textAfterQuote
        /// The line stands between a broken quote and the place where that was noticed, and is no record by itself.
        case insideBrokenQuote

        /// The fault as the second half of an error message: "line 7: …".
        package var sentence: String {
            switch self {
            case .unclosedQuote: "a quote is opened and never closed"
            case .textAfterQuote: "there is text behind a closing quote"
            case .insideBrokenQuote: "it follows a line whose quote is not closed, and is no record by itself"
            }
        }
    }

    /// Everything lies behind one pointer: a class's own properties are checked for exclusive access each time.
    private struct Storage {
        var start = 0
        var contentEnd = 0
        var end = 0
        var fault: Fault?
        var count = 0
        var capacity = 64
        var cells = UnsafeMutablePointer<Cell>.allocate(capacity: 64)
    }

    private let storage: UnsafeMutablePointer<Storage>

    package init() {
        storage = .allocate(capacity: 1)
        storage.initialize(to: Storage())
    }

    deinit {
        storage.pointee.cells.deallocate()
        storage.deallocate()
    }

    /// Offset in the buffer at which the record begins.
    package var start: Int { storage.pointee.start }
    /// Offset at which the record's text ends, before its line ending.
    package var contentEnd: Int { storage.pointee.contentEnd }
    /// Offset at which the next record begins.
    package var end: Int { storage.pointee.end }
    /// Why the record is malformed; `nil` for a good one. A malformed record has no cells and is one line of the text.
    package var fault: Fault? { storage.pointee.fault }
    /// Number of cells.
    package var count: Int { storage.pointee.count }

    /// The cells, valid until the next record is read.
    package var all: UnsafeBufferPointer<Cell> {
        UnsafeBufferPointer(start: storage.pointee.cells, count: storage.pointee.count)
    }

    func begin(_ start: Int) {
        storage.pointee.start = start
        storage.pointee.fault = nil
        storage.pointee.count = 0
    }

    func finish(_ contentEnd: Int, _ end: Int) {
        storage.pointee.contentEnd = contentEnd
        storage.pointee.end = end
    }

    func fail(_ fault: Fault, _ contentEnd: Int, _ end: Int) {
        storage.pointee.fault = fault
        storage.pointee.count = 0
        finish(contentEnd, end)
    }

    @inline(__always)
    func append(_ start: Int, _ end: Int, isQuoted: Bool, hasEscapes: Bool) {
        let place = storage.pointee.count
        if place == storage.pointee.capacity { grow() }
        (storage.pointee.cells + place).initialize(
            to: Cell(start: start, end: end, isQuoted: isQuoted, hasEscapes: hasEscapes))
        storage.pointee.count = place &+ 1
    }

    private func grow() {
        let old = storage.pointee
        let larger = UnsafeMutablePointer<Cell>.allocate(capacity: old.capacity * 2)
        larger.moveInitialize(from: old.cells, count: old.count)
        old.cells.deallocate()
        storage.pointee.cells = larger
        storage.pointee.capacity = old.capacity * 2
    }
}
