internal import CLibrary

/// Incremental parser of delimited text: finds one record at a time in a buffer that the caller refills.
///
/// ```swift
/// var scanner = CSVScanner(CSVDialect())
/// let record = CSVRecord()
/// let step = scanner.next(buffer, from: 0, isLast: true, into: record)
/// ```
///
/// The only reader of such text: files, their slices, batches and requests all use it, so that the same bytes are the
/// same rows everywhere.
///
/// After RFC 4180, with what real files need (compare Python's `csv` module in strict mode):
/// - a quote encloses a cell only where the cell begins; anywhere else it is a character like others (`5" pipe`);
/// - a line ends with LF or CRLF, mixed as may be. Where the first line ends with a lone CR, lone CRs end lines as well;
///   in all other texts a lone CR is a character;
/// - a line without any byte is no record, whatever the number of columns;
/// - a broken quote costs its own line: the record is that one line, with a fault, and reading goes on behind it. Until
///   the place where the fault was noticed, a line counts only if it is a record by itself: of the expected width and
///   without a quote inside of plain cells.
///
/// The result does not depend on how the text is cut into buffers.
package struct CSVScanner: Sendable {
    /// What one call of `next` found: a record, a skipped line, or that more bytes are needed.
    package enum Step: Sendable, Equatable {
        case record, blank, comment
        /// The buffer ends before the record does.
        case needsMore
        /// Nothing is left.
        case end
    }

    /// Settings of the text format.
    package let dialect: CSVDialect
    /// Expected number of cells of a record; used only to recover after a broken quote.
    package var width: Int?
    /// Whether lone CRs end lines; `nil` until the first line has ended.
    package private(set) var endsWithCR: Bool?
    /// Up to here, in the present buffer, lines stand behind a broken quote.
    private var brokenUntil = 0

    private let quote: Int16
    private let escape: Int16
    private let first: UInt8
    /// The delimiter's first byte and the escape, eight times each; without an escape, the delimiter again.
    private let firsts: UInt64
    private let escapes: UInt64
    private let isByBlanks: Bool

    package init(_ dialect: CSVDialect) {
        self.dialect = dialect
        quote = dialect.quote.map(Int16.init) ?? -1
        escape = dialect.escape.map(Int16.init) ?? -1
        isByBlanks = dialect.delimiter.isEmpty
        first = dialect.delimiter.first ?? 32
        firsts = Self.ones &* UInt64(first)
        escapes = Self.ones &* UInt64(dialect.escape ?? first)
    }

    /// Whether records end at line feeds alone, as long as quotes open and close only at cell borders.
    package var isPlain: Bool {
        endsWithCR == false && brokenUntil == 0 && dialect.delimiter.count == 1 && dialect.escape == nil
            && dialect.comment.isEmpty && !dialect.allowsBlanksAroundQuotes
    }

    /// Tells the scanner that the caller removed this many bytes from the start of the buffer.
    package mutating func consumed(_ bytes: Int) { brokenUntil = max(0, brokenUntil - bytes) }

    /// Parses the record that begins at `start`.
    /// - Parameters:
    ///   - isLast: whether nothing follows the buffer.
    ///   - record: receives the places; for `.blank` and `.comment` only where the line ends.
    package mutating func next(
        _ bytes: UnsafeRawBufferPointer, from start: Int, isLast: Bool, into record: CSVRecord
    ) -> Step {
        guard start < bytes.count else { return isLast ? .end : .needsMore }
        record.begin(start)
        let ending = lineEnd(bytes, start, isLast)
        if ending < 0 { return .needsMore }
        if ending > 0 {
            record.finish(start, start + ending)
            return .blank
        }
        if !dialect.comment.isEmpty {
            let length = min(dialect.comment.count, bytes.count - start)
            if bytes[start..<(start + length)].elementsEqual(dialect.comment.prefix(length)) {
                if length == dialect.comment.count { return skipLine(bytes, start, isLast, record) }
                if !isLast { return .needsMore }
            }
        }
        if isByBlanks, let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) {
            let text = skipBlanks(base, start, bytes.count)
            guard text < bytes.count else {
                guard isLast else { return .needsMore }
                record.finish(start, text)
                return .blank
            }
            let ending = lineEnd(bytes, text, isLast)
            if ending < 0 { return .needsMore }
            if ending > 0 {
                record.finish(start, text + ending)
                return .blank
            }
        }
        let step = cells(bytes, start, isLast, record)
        guard step == .record, start < brokenUntil, record.fault == nil, !standsAlone(record, bytes) else {
            return step
        }
        return fail(.insideBrokenQuote, bytes, start, isLast, until: 0, record)
    }

    /// Skips one line without parsing it, as for lines before a header.
    package mutating func skipLine(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ isLast: Bool, _ record: CSVRecord
    ) -> Step {
        guard start < bytes.count else { return isLast ? .end : .needsMore }
        guard let (content, end) = physicalLine(bytes, start, isLast) else { return .needsMore }
        record.begin(start)
        record.finish(content, end)
        return .comment
    }

    private mutating func cells(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ isLast: Bool, _ record: CSVRecord
    ) -> Step {
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return .end }
        let count = bytes.count
        var at = isByBlanks ? skipBlanks(base, start, count) : start
        while true {
            // A cell begins at `at`.
            var open = at
            if dialect.allowsBlanksAroundQuotes {
                open = skipBlanks(base, at, count)
                if open == count, !isLast { return .needsMore }
            }
            if open < count, Int16(base[open]) == quote {
                let cell: (close: Int, hasEscapes: Bool)
                switch quoted(base, open + 1, count, start, isLast) {
                case .closed(let close, let hasEscapes): cell = (close, hasEscapes)
                case .needsMore: return .needsMore
                case .unclosed(let until): return fail(.unclosedQuote, bytes, start, isLast, until: until, record)
                }
                var after = cell.close + 1
                if dialect.allowsBlanksAroundQuotes { after = skipBlanks(base, after, count) }
                if after == count, !isLast { return .needsMore }
                record.append(open + 1, cell.close, isQuoted: true, hasEscapes: cell.hasEscapes)
                if after == count {
                    record.finish(after, after)
                    return .record
                }
                switch delimiter(base, after, count, isLast) {
                case -1: return .needsMore
                case 0: break
                case let length:
                    at = after + length
                    if isByBlanks, let step = endAfterBlanks(bytes, at, isLast, record) { return step }
                    continue
                }
                let ending = lineEnd(bytes, after, isLast)
                if ending < 0 { return .needsMore }
                guard ending > 0 else {
                    return fail(.textAfterQuote, bytes, start, isLast, until: after, record)
                }
                record.finish(after, after + ending)
                return .record
            }
            let from = at
            var hasEscapes = false
            var isCellEnd = false
            while at < count {
                if at &+ 8 <= count {
                    let marks = marks(in: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self))
                    if marks == 0 {
                        at &+= 8
                        continue
                    }
                    at &+= marks.trailingZeroBitCount / 8
                }
                let byte = base[at]
                if byte == first || (isByBlanks && byte == 9) {
                    let length = delimiter(base, at, count, isLast)
                    if length < 0 { return .needsMore }
                    if length > 0 {
                        record.append(from, at, isQuoted: false, hasEscapes: hasEscapes)
                        at += length
                        if isByBlanks, let step = endAfterBlanks(bytes, at, isLast, record) { return step }
                        isCellEnd = true
                        break
                    }
                } else if byte == 10 || byte == 13 {
                    let ending = lineEnd(bytes, at, isLast)
                    if ending < 0 { return .needsMore }
                    if ending > 0 {
                        record.append(from, at, isQuoted: false, hasEscapes: hasEscapes)
                        record.finish(at, at + ending)
                        return .record
                    }
                } else if Int16(byte) == escape {
                    hasEscapes = true
                    at &+= 1
                    if at == count, !isLast { return .needsMore }
                    if at == count { break }
                }
                at &+= 1
            }
            if isCellEnd { continue }
            guard isLast else { return .needsMore }
            record.append(from, count, isQuoted: false, hasEscapes: hasEscapes)
            record.finish(count, count)
            return .record
        }
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101

    /// The high bit of each of eight bytes that may mean something outside of quotes: line ends and other controls, the
    /// delimiter, the escape. The lowest bit that is set is right; one above it may be set in vain (Mycroft's test).
    @inline(__always)
    private func marks(in word: UInt64) -> UInt64 {
        let word = UInt64(littleEndian: word)
        let delimiters = word ^ firsts
        let escapes = word ^ escapes
        let low = (word &- Self.ones &* 14) & ~word
        let found = (delimiters &- Self.ones) & ~delimiters | (escapes &- Self.ones) & ~escapes | low
        return found & (Self.ones &* 0x80)
    }

    private enum Quoted {
        case closed(Int, hasEscapes: Bool)
        case needsMore
        case unclosed(until: Int)
    }

    /// Looks for the quote that closes a cell.
    private func quoted(
        _ base: UnsafePointer<UInt8>, _ from: Int, _ count: Int, _ start: Int, _ isLast: Bool
    ) -> Quoted {
        let limit = start + CSVDialect.longestQuotedRecord
        var at = from
        var hasEscapes = false
        while true {
            guard let found = closing(base, &at, count, &hasEscapes), found <= limit else {
                if count > limit { return .unclosed(until: limit) }
                return isLast ? .unclosed(until: count) : .needsMore
            }
            guard found + 1 < count else { return isLast ? .closed(found, hasEscapes: hasEscapes) : .needsMore }
            guard Int16(base[found + 1]) == quote else { return .closed(found, hasEscapes: hasEscapes) }
            hasEscapes = true
            at = found + 2
        }
    }

    /// The next quote that no escape precedes.
    private func closing(
        _ base: UnsafePointer<UInt8>, _ at: inout Int, _ count: Int, _ hasEscapes: inout Bool
    ) -> Int? {
        if escape < 0 {
            guard at < count, let found = memchr(base + at, Int32(quote), count - at) else { return nil }
            return UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
        while at < count {
            let byte = Int16(base[at])
            if byte == quote { return at }
            if byte == escape {
                hasEscapes = true
                at += 1
            }
            at += 1
        }
        return nil
    }

    /// The length of the delimiter at a place: 0 if there is none, -1 if that is not known yet.
    @inline(__always)
    private func delimiter(_ base: UnsafePointer<UInt8>, _ at: Int, _ count: Int, _ isLast: Bool) -> Int {
        if isByBlanks {
            let end = skipBlanks(base, at, count)
            return end == count && end > at && !isLast ? -1 : end - at
        }
        guard base[at] == first else { return 0 }
        let length = dialect.delimiter.count
        if length == 1 { return 1 }
        for place in 1..<length {
            guard at + place < count else { return isLast ? 0 : -1 }
            if base[at + place] != dialect.delimiter[place] { return 0 }
        }
        return length
    }

    /// Ends a record of cells between runs of blanks where only its line's end is left.
    private mutating func endAfterBlanks(
        _ bytes: UnsafeRawBufferPointer, _ at: Int, _ isLast: Bool, _ record: CSVRecord
    ) -> Step? {
        guard at < bytes.count else {
            guard isLast else { return .needsMore }
            record.finish(at, at)
            return .record
        }
        let ending = lineEnd(bytes, at, isLast)
        if ending < 0 { return .needsMore }
        if ending == 0 { return nil }
        record.finish(at, at + ending)
        return .record
    }

    @inline(__always)
    private func skipBlanks(_ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int {
        var at = start
        while at < count, base[at] == 32 || base[at] == 9, isByBlanks || base[at] != first { at += 1 }
        return at
    }

    /// The length of the line end at a place: 0 if there is none, -1 if that is not known yet.
    @inline(__always)
    private mutating func lineEnd(_ bytes: UnsafeRawBufferPointer, _ at: Int, _ isLast: Bool) -> Int {
        let byte = bytes[at]
        if byte == 10 {
            if endsWithCR == nil { endsWithCR = false }
            return 1
        }
        guard byte == 13 else { return 0 }
        guard at + 1 < bytes.count else { return isLast ? 1 : -1 }
        if bytes[at + 1] == 10 {
            if endsWithCR == nil { endsWithCR = false }
            return 2
        }
        if endsWithCR == nil { endsWithCR = true }
        return endsWithCR == true ? 1 : 0
    }

    /// Where a line's content and the line itself end, whatever its quotes say; `nil` when that is not known yet.
    private mutating func physicalLine(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ isLast: Bool
    ) -> (content: Int, end: Int)? {
        var at = start
        while at < bytes.count {
            if bytes[at] == 10 || bytes[at] == 13 {
                let ending = lineEnd(bytes, at, isLast)
                if ending < 0 { return nil }
                if ending > 0 { return (at, at + ending) }
            }
            at += 1
        }
        return isLast ? (at, at) : nil
    }

    /// Makes the record the one line that it begins with.
    private mutating func fail(
        _ fault: CSVRecord.Fault, _ bytes: UnsafeRawBufferPointer, _ start: Int, _ isLast: Bool, until: Int,
        _ record: CSVRecord
    ) -> Step {
        guard let (content, end) = physicalLine(bytes, start, isLast) else { return .needsMore }
        brokenUntil = max(brokenUntil, until)
        record.fail(fault, content, end)
        return .record
    }

    /// Whether a record could stand by itself behind a broken quote.
    private func standsAlone(_ record: CSVRecord, _ bytes: UnsafeRawBufferPointer) -> Bool {
        if let width, record.count != width { return false }
        guard let mark = dialect.quote else { return true }
        return record.all.allSatisfy { cell in
            cell.isQuoted || !bytes[cell.start..<cell.end].contains(mark)
        }
    }
}
