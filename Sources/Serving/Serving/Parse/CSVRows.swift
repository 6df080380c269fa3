internal import DelimitedText
internal import JSONText
internal import Training

/// Incremental parser of CSV request bodies: the header first, then rows into a batch.
///
/// `CSVScanner` finds the records; a record that is malformed, or has bytes that are no text, becomes a row with a
/// fault.
package struct CSVRows {
    static let dialect = CSVDialect()

    let schema: RowSchema
    /// For each place in a record the model's column, -1 for one that it does not have, -2 for the entity's.
    private var order: [Int] = []
    private var hasHeader = false
    /// For each place in a record the place among the columns that are passed through, or -1.
    private var keeps: [Int] = []
    /// Number of lines parsed so far, the header's included.
    package internal(set) var lines = 0
    /// What is done with each place in a record.
    private(set) var targets: [Target] = []
    private var scanner = CSVScanner(dialect)
    private var isAtStart = true
    /// Up to here, in the present bytes, the scanner must see every line, since a quote was broken.
    private var brokenUntil = 0

    struct Target {
        /// As in `order`.
        var column: Int
        var isNumber: Bool
        /// Place among the columns that are passed through, or -1.
        var keep = -1
        var minimum: Double
        var maximum: Double
    }

    package init(_ schema: RowSchema) { self.schema = schema }

    /// Header fields as written; empty before the header was parsed.
    package private(set) var header: [String] = []

    /// Parses whole records from the start of the bytes until the batch is full; returns the number of bytes used.
    /// - Parameters:
    ///   - isLast: whether nothing follows, so that a last record may be without its end.
    ///   - kept: takes the cells that are passed through.
    ///   - broken: the broken records of a slice; where they are known, the bytes are not looked through for them.
    ///   - onRow: told where the text of each row stands.
    /// - Throws: `serving.malformed` and `serving.repeated-column` for a header that cannot be read, `serving.shape` for
    ///   one without any of the model's columns.
    package mutating func read(
        _ bytes: UnsafeRawBufferPointer, into batch: RowBatch, upTo rows: Int, isLast: Bool,
        passing kept: PassthroughCells? = nil, broken: [BatchSlice.Broken] = [], onRow: (Range<Int>) -> Void = { _ in }
    ) throws(InputFault) -> Int {
        if !batch.isByRow { batch.place = .lines }
        let record = CSVRecord()
        var used = hasHeader ? 0 : try head(bytes, isLast: isLast, broken, batch, record)
        if hasHeader {
            let isClean = Self.isText(bytes)
            if isClean, broken.isEmpty, used >= brokenUntil, scanner.endsWithCR == false, Self.hasNoQuotes(bytes) {
                used = readPlain(bytes, from: used, into: batch, upTo: rows, isLast, kept, onRow)
            } else {
                used = readRecords(
                    bytes, from: used, into: batch, upTo: rows, isLast, isClean, kept, broken, record, onRow)
            }
        }
        scanner.consumed(used)
        brokenUntil = max(0, brokenUntil - used)
        return used
    }

    /// Reads the header alone, whose end the bytes must have. Gives how many bytes were used.
    /// - Parameter passing: further columns that are passed through.
    /// - Throws: as `read`; also `serving.missing-column` when the header lacks a column that every row must have, or
    ///   one that is to be passed through.
    mutating func readHeader(
        of slice: BatchSlice, into batch: RowBatch, passing names: [String]
    ) throws(InputFault) -> Int {
        scanner = slice.scanner
        let result = slice.bytes.withUnsafeBytes { bytes in
            Result { () throws(InputFault) in
                try head(bytes, isLast: true, slice.broken, batch, CSVRecord())
            }
        }
        let used = try result.get()
        for (place, column) in schema.columns.enumerated()
        where column.policy.missingColumn == .reject && !order.contains(place) {
            throw InputFault(
                .missingColumn, at: "line \(batch.line), column \(column.name)",
                "The first line lacks the column \(column.name).")
        }
        for name in names where !header.contains(name) {
            throw InputFault(
                .missingColumn, at: "line \(batch.line), column \(name)",
                "The first line lacks the column \(RowBatch.shown(name)), which is to be passed through.")
        }
        if !names.isEmpty {
            keeps = header.map { names.firstIndex(of: $0) ?? -1 }
            for place in targets.indices { targets[place].keep = keeps[place] }
        }
        return used
    }

    /// Reads what stands before the first row: a byte order mark, blank lines, the header. Gives how many bytes these
    /// have, as far as they have arrived.
    private mutating func head(
        _ bytes: UnsafeRawBufferPointer, isLast: Bool, _ broken: [BatchSlice.Broken], _ batch: RowBatch,
        _ record: CSVRecord
    ) throws(InputFault) -> Int {
        var at = 0
        if isAtStart {
            guard let mark = Self.mark(bytes, isLast: isLast) else { return 0 }
            at = mark
            isAtStart = false
        }
        while true {
            batch.line = lines + 1
            if let broken = broken.first, broken.start == at { throw unreadable(broken.fault.sentence) }
            switch scanner.next(bytes, from: at, isLast: isLast, into: record) {
            case .needsMore: return at
            case .end: throw InputFault(.shape, at: "line 1", "There is no header: the first line names the columns.")
            case .blank, .comment:
                lines += 1
                at = record.end
            case .record:
                if let fault = record.fault { throw unreadable(fault.sentence) }
                let text = UnsafeRawBufferPointer(rebasing: bytes[at..<record.end])
                if let reason = Self.isText(text) ? nil : Self.reason(text) { throw unreadable(reason) }
                try readHeader(CSVText.strings(record, of: bytes, Self.dialect), batch)
                lines += lineCount(record, bytes)
                return record.end
            }
        }
    }

    /// The length of a byte order mark at the beginning of a text; `nil` when that is not known yet.
    static func mark(_ bytes: UnsafeRawBufferPointer, isLast: Bool) -> Int? {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        if bytes.starts(with: mark) { return 3 }
        return !isLast && bytes.count < 3 && mark.starts(with: bytes) ? nil : 0
    }

    private func unreadable(_ reason: String) -> InputFault {
        InputFault(.malformed, at: "line \(lines + 1)", "The header cannot be read: \(reason).")
    }

    private mutating func readHeader(_ names: [String], _ batch: RowBatch) throws(InputFault) {
        hasHeader = true
        header = names
        scanner.width = names.count
        var seen: Set<String> = []
        for name in header {
            guard name.isEmpty || seen.insert(name).inserted else {
                throw InputFault(
                    .repeatedColumn, at: "line \(batch.line), column \(name)",
                    "\(RowBatch.shown(name)) comes twice in the header.")
            }
            var text = name
            if let column = text.withUTF8({ schema.names.find(UnsafeRawBufferPointer($0)) }) {
                order.append(column)
            } else if name == schema.entity {
                order.append(-2)
            } else {
                order.append(-1)
                batch.stranger(name, row: -1)
            }
        }
        targets = order.map { column in
            guard column >= 0 else { return Target(column: column, isNumber: false, minimum: 0, maximum: 0) }
            let about = schema.columns[column]
            return Target(
                column: column, isNumber: !about.isCategory, minimum: about.minimum, maximum: about.maximum)
        }
        guard order.contains(where: { $0 >= 0 }) else {
            throw InputFault(.shape, at: "line \(batch.line)", "The first line has none of the model's columns.")
        }
    }

    // MARK: Rows

    private mutating func readRecords(
        _ bytes: UnsafeRawBufferPointer, from start: Int, into batch: RowBatch, upTo rows: Int, _ isLast: Bool,
        _ isClean: Bool, _ kept: PassthroughCells?, _ broken: [BatchSlice.Broken], _ record: CSVRecord,
        _ onRow: (Range<Int>) -> Void
    ) -> Int {
        var at = start
        var text: [UInt8] = []
        for next in 0...broken.count {
            // What is known to be broken lies between parts that are not.
            let end = next < broken.count ? broken[next].start : bytes.count
            let part = UnsafeRawBufferPointer(rebasing: bytes[..<end])
            scan: while true {
                switch scanner.next(part, from: at, isLast: isLast || next < broken.count, into: record) {
                case .needsMore: return at
                case .end: break scan
                case .blank, .comment: lines += 1
                case .record:
                    if batch.count == rows { return at }
                    batch.line = lines + 1
                    if let fault = record.fault {
                        brokenUntil = bytes.count
                        spoil(fault, batch, kept)
                    } else {
                        row(bytes, record, isClean, batch, kept, &text)
                    }
                    onRow(at..<record.contentEnd)
                    lines += lineCount(record, bytes)
                }
                at = record.end
            }
            guard next < broken.count else { break }
            if batch.count == rows { return at }
            batch.line = lines + 1
            spoil(broken[next].fault, batch, kept)
            onRow(at..<broken[next].end)
            lines += 1
            at = broken[next].end
        }
        return at
    }

    private func spoil(_ fault: CSVRecord.Fault, _ batch: RowBatch, _ kept: PassthroughCells?) {
        batch.spoiled("The line cannot be taken apart: \(fault.sentence).")
        kept?.beginRow()
    }

    private func row(
        _ bytes: UnsafeRawBufferPointer, _ record: CSVRecord, _ isClean: Bool, _ batch: RowBatch,
        _ kept: PassthroughCells?,
        _ text: inout [UInt8]
    ) {
        kept?.beginRow()
        let whole = UnsafeRawBufferPointer(rebasing: bytes[record.start..<record.contentEnd])
        let isText = isClean || Self.isText(whole)
        var start = 0
        if isText { start = batch.begin() } else { batch.spoiled("\(Self.reason(whole).capitalizedFirst).") }
        var seen = 0
        for (place, cell) in record.all.enumerated() where place < targets.count {
            let target = targets[place]
            if target.column == -1, target.keep < 0 { continue }
            text.removeAll(keepingCapacity: true)
            if cell.hasEscapes { CSVText.append(cell, of: bytes, Self.dialect, to: &text) }
            func take(_ field: UnsafeRawBufferPointer) {
                if target.keep >= 0 {
                    kept?.put(text: field, isQuoted: cell.isQuoted, isText: isText, at: target.keep)
                }
                if !isText { return }
                if target.column >= 0 {
                    self.cell(field, target.column, start + target.column, batch)
                    seen += 1
                } else if target.column == -2 {
                    note(field, batch)
                }
            }
            if cell.hasEscapes {
                text.withUnsafeBytes { take($0) }
            } else {
                take(UnsafeRawBufferPointer(rebasing: bytes[cell.start..<cell.end]))
            }
        }
        if !isText { return }
        end(start, seen: seen, of: record.count, batch)
    }

    /// After a row's last cell.
    @inline(__always)
    func end(_ start: Int, seen: Int, of count: Int, _ batch: RowBatch) {
        if count == targets.count { return batch.end(start, seen: seen) }
        batch.fail(line: .shape, "The line has \(count) fields; the first line has \(targets.count).")
        batch.fill(start)
    }

    func note(_ field: UnsafeRawBufferPointer, _ batch: RowBatch) {
        batch.note(entity: field.isEmpty ? nil : String(decoding: field, as: UTF8.self), row: batch.count - 1)
    }

    /// A cell without its quotes: an empty one is missing, whether it had quotes or not.
    @inline(__always)
    func cell(_ field: UnsafeRawBufferPointer, _ column: Int, _ cell: Int, _ batch: RowBatch) {
        if field.isEmpty { return batch.putMissing(column, cell) }
        if schema.columns[column].isCategory { return batch.put(field, column, cell) }
        var scanner = JSONScanner(field)
        if let value = try? scanner.double(), scanner.offset == field.count {
            batch.put(value, column, cell)
        } else if let value = Self.lenient(field) {
            if value.isNaN { batch.putMissing(column, cell) } else { batch.put(value, column, cell) }
        } else {
            batch.putMisfit("a text", column, cell)
        }
    }

    /// What other writers give for numbers besides JSON's form: spaces around, a plus sign, ".5", "5.", nan.
    private static func lenient(_ field: UnsafeRawBufferPointer) -> Double? {
        let text = String(decoding: field, as: UTF8.self).filter { !$0.isWhitespace }
        if ["nan", "na", "null", "none", ""].contains(text.lowercased()) { return .nan }
        guard let value = Double(text), value.isFinite, !text.lowercased().contains("x") else { return nil }
        return value
    }

    /// How many lines a record has: those within its quotes as well.
    private func lineCount(_ record: CSVRecord, _ bytes: UnsafeRawBufferPointer) -> Int {
        var count = 1
        let whole = UnsafeRawBufferPointer(rebasing: bytes[record.start..<record.contentEnd])
        if scanner.endsWithCR != true, !Self.has(10, whole) { return 1 }
        for cell in record.all where cell.isQuoted {
            for at in cell.start..<cell.end {
                if bytes[at] == 10 {
                    count += 1
                } else if bytes[at] == 13, scanner.endsWithCR == true, bytes[at + 1] != 10 {
                    count += 1
                }
            }
        }
        return count
    }
}
