/// One record as `CSVScanner` has found it: places in the caller's buffer, nothing copied. Used again for record after
/// record. Not Sendable: belongs to one scan.
package final class CSVRecord {
    /// Where one cell's text stands, its quotes left out.
    package struct Cell {
        package var start: Int
        package var end: Int
        /// Whether the cell is enclosed in quotes.
        package var isQuoted: Bool
        /// Whether quotes are doubled or bytes escaped in it, so that the text is not what stands there.
        package var hasEscapes: Bool

        package var isEmpty: Bool { start == end }
    }

    /// Why a record cannot be taken apart.
    package enum Fault: Sendable, Equatable {
        /// The quote that opens a cell is never closed, or not within `CSVDialect.longestQuotedRecord`.
        case unclosedQuote
        /// Something else than a delimiter or a line's end stands behind a closing quote.
        case textAfterQuote
        /// The line stands between a broken quote and the place where that was noticed, and is no record by itself.
        case insideBrokenQuote

        /// The fault as the second half of "line 7: …".
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

    /// Where the record begins, where its text ends, and where the next one begins.
    package var start: Int { storage.pointee.start }
    package var contentEnd: Int { storage.pointee.contentEnd }
    package var end: Int { storage.pointee.end }
    /// `nil` for a record that was taken apart. A faulty one has no cells and is one line of the text.
    package var fault: Fault? { storage.pointee.fault }
    /// How many cells there are.
    package var count: Int { storage.pointee.count }

    package subscript(place: Int) -> Cell {
        precondition(place < count)
        return storage.pointee.cells[place]
    }

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
