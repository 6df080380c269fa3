internal import Training

/// Reads rows of CSV (RFC 4180; LF or CRLF) as they arrive, piece by piece: the header first, then rows into a batch.
package struct CSVRows {
    let schema: RowSchema
    /// For each place in a line the model's column, -1 for one that it does not have, -2 for the entity's.
    private var order: [Int] = []
    private var hasHeader = false
    /// For each place in a line the place among the columns that are passed through, or -1.
    private var keeps: [Int] = []
    /// Lines of the file so far, the header included.
    package internal(set) var lines = 0
    /// What is done with each place in a line.
    private(set) var targets: [Target] = []

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

    /// The header's fields as they are written; empty before the header was read.
    package private(set) var header: [String] = []

    /// Reads whole lines from the front of the bytes until the batch has so many rows. Gives how many bytes were used.
    /// - Parameters:
    ///   - isLast: whether nothing follows, so that a last line may be without its end.
    ///   - kept: takes the cells that are passed through.
    ///   - onRow: told where the line of each row stands.
    /// - Throws: `serving.shape` for a header without any of the model's columns, `serving.malformed` for quotes that
    ///   are not closed.
    package mutating func read(
        _ bytes: UnsafeRawBufferPointer, into batch: RowBatch, upTo rows: Int, isLast: Bool,
        passing kept: KeptCells? = nil, onRow: (Range<Int>) -> Void = { _ in }
    ) throws(InputFault) -> Int {
        if !batch.isByRow { batch.place = .lines }
        var used = 0
        let isPlain = Self.hasNoQuotes(bytes)
        while used < bytes.count, batch.count < rows {
            if isPlain, hasHeader {
                return readPlain(bytes, from: used, into: batch, upTo: rows, isLast, kept, onRow)
            }
            guard let end = lineEnd(bytes, from: used, isLast: isLast) else {
                if isLast { throw InputFault(.malformed, at: "line \(lines + 1)", "A quote is not closed.") }
                break
            }
            var content = end.content
            if content > used, bytes[content - 1] == 13 { content -= 1 }
            if hasHeader {
                lines += 1
                if content > used || schema.width == 1 {
                    row(bytes, used..<content, batch, kept)
                    onRow(used..<content)
                }
            } else {
                try readHeader(bytes, used..<content, batch)
            }
            used = end.next
        }
        return used
    }

    /// Reads the header alone, whose end the bytes must have. Gives how many bytes were used.
    /// - Parameter passing: further columns that are passed through.
    /// - Throws: as `read`; also `serving.missing-column` when the header lacks a column that every row must have, or
    ///   one that is to be passed through.
    package mutating func readHeader(
        _ bytes: UnsafeRawBufferPointer, into batch: RowBatch, passing names: [String]
    ) throws(InputFault) -> Int {
        guard var end = lineEnd(bytes, from: 0, isLast: true) else {
            throw InputFault(.malformed, at: "line 1", "A quote is not closed.")
        }
        if end.content > 0, bytes[end.content - 1] == 13 { end.content -= 1 }
        try readHeader(bytes, 0..<end.content, batch)
        for (place, column) in schema.columns.enumerated()
        where column.policy.missingColumn == .reject && !order.contains(place) {
            throw InputFault(
                .missingColumn, at: "line 1, column \(column.name)", "The first line lacks the column \(column.name).")
        }
        for name in names where !header.contains(name) {
            throw InputFault(
                .missingColumn, at: "line 1, column \(name)",
                "The first line lacks the column \(RowBatch.shown(name)), which is to be passed through.")
        }
        if !names.isEmpty {
            keeps = header.map { names.firstIndex(of: $0) ?? -1 }
            for place in targets.indices { targets[place].keep = keeps[place] }
        }
        return end.next
    }

    /// Where a line's content ends and the next line begins; `nil` when the end has not arrived.
    private func lineEnd(
        _ bytes: UnsafeRawBufferPointer, from start: Int, isLast: Bool
    ) -> (content: Int, next: Int)? {
        var at = start
        var isQuoted = false
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte == 10, !isQuoted { return (at, at + 1) }
            at += 1
        }
        return isLast && !isQuoted ? (at, at) : nil
    }

    private mutating func readHeader(
        _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ batch: RowBatch
    ) throws(InputFault) {
        hasHeader = true
        lines = 1
        var start = line.lowerBound
        // A byte-order mark.
        if line.count >= 3, bytes[start] == 0xEF, bytes[start + 1] == 0xBB, bytes[start + 2] == 0xBF { start += 3 }
        var names: [String] = []
        Self.forEachField(bytes, start..<line.upperBound) { field, _, _ in
            names.append(String(decoding: field, as: UTF8.self))
        }
        header = names
        var seen: Set<Int> = []
        for name in header {
            var text = name
            if let column = text.withUTF8({ schema.names.find(UnsafeRawBufferPointer($0)) }) {
                guard seen.insert(column).inserted else {
                    throw InputFault(.repeatedColumn, at: "line 1, column \(name)", "\(name) comes twice.")
                }
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
        guard !seen.isEmpty else {
            throw InputFault(.shape, at: "line 1", "The first line has none of the model's columns.")
        }
    }

    private func row(
        _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ batch: RowBatch, _ kept: KeptCells?
    ) {
        let start = batch.begin()
        var seen = 0
        kept?.beginRow()
        let count = Self.forEachField(bytes, line) { field, place, isQuoted in
            guard place < order.count else { return }
            let column = order[place]
            if !keeps.isEmpty, keeps[place] >= 0 { kept?.put(text: field, isQuoted: isQuoted, at: keeps[place]) }
            if column >= 0 {
                cell(field, isQuoted, column, start + column, batch)
                seen += 1
            } else if column == -2 {
                batch.note(entity: String(decoding: field, as: UTF8.self), row: batch.count - 1)
            }
        }
        if count != order.count { failWidth(count, batch) }
        batch.end(start, seen: seen)
    }

    func failWidth(_ count: Int, _ batch: RowBatch) {
        batch.fail(
            InputFault(
                .shape, at: batch.isByRow ? "line" : "line \(lines)",
                "The line has \(count) fields; the first line has \(order.count)."))
    }

    @inline(__always)
    func cell(
        _ field: UnsafeRawBufferPointer, _ isQuoted: Bool, _ column: Int, _ cell: Int, _ batch: RowBatch
    ) {
        if field.isEmpty, !isQuoted { return batch.putMissing(column, cell) }
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

    /// Calls with each field, quotes resolved. Gives how many there are.
    @discardableResult
    private static func forEachField(
        _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ body: (UnsafeRawBufferPointer, Int, Bool) -> Void
    ) -> Int {
        var unescaped: [UInt8] = []
        var at = line.lowerBound
        var place = 0
        while true {
            if at < line.upperBound, bytes[at] == UInt8(ascii: "\"") {
                at = unquote(bytes, at + 1, line.upperBound, into: &unescaped)
                unescaped.withUnsafeBytes { body($0, place, true) }
            } else {
                let start = at
                while at < line.upperBound, bytes[at] != UInt8(ascii: ",") { at &+= 1 }
                body(UnsafeRawBufferPointer(rebasing: bytes[start..<at]), place, false)
            }
            place += 1
            guard at < line.upperBound else { return place }
            at += 1
        }
    }

    /// Resolves a quoted field. Gives where the comma after it stands.
    private static func unquote(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int, into unescaped: inout [UInt8]
    ) -> Int {
        unescaped.removeAll(keepingCapacity: true)
        var at = start
        while at < end {
            if bytes[at] == UInt8(ascii: "\"") {
                guard at + 1 < end, bytes[at + 1] == UInt8(ascii: "\"") else {
                    at += 1
                    break
                }
                at += 1
            }
            unescaped.append(bytes[at])
            at += 1
        }
        while at < end, bytes[at] != UInt8(ascii: ",") { at += 1 }
        return at
    }
}
