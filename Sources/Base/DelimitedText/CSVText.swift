/// Decodes the text of parsed CSV cells.
///
/// ```swift
/// CSVText.records(Array("id,name\n1,Ada\n".utf8), CSVDialect())  // [["id", "name"], ["1", "Ada"]]
/// ```
package enum CSVText {
    /// Appends a cell's text to a buffer, with doubled quotes and escapes resolved.
    package static func append(
        _ cell: CSVRecord.Cell, of bytes: UnsafeRawBufferPointer, _ dialect: CSVDialect, to text: inout [UInt8]
    ) {
        guard cell.hasEscapes else {
            text.append(contentsOf: bytes[cell.start..<cell.end])
            return
        }
        var at = cell.start
        while at < cell.end {
            let byte = bytes[at]
            if byte == dialect.escape || (cell.isQuoted && byte == dialect.quote) { at += 1 }
            if at < cell.end { text.append(bytes[at]) }
            at += 1
        }
    }

    /// Returns a cell's text as a string; invalid UTF-8 becomes U+FFFD.
    package static func string(
        _ cell: CSVRecord.Cell, of bytes: UnsafeRawBufferPointer, _ dialect: CSVDialect
    ) -> String {
        guard cell.hasEscapes else { return String(decoding: bytes[cell.start..<cell.end], as: UTF8.self) }
        var text: [UInt8] = []
        append(cell, of: bytes, dialect, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Returns the texts of all cells of a record.
    package static func strings(
        _ record: CSVRecord, of bytes: UnsafeRawBufferPointer, _ dialect: CSVDialect
    ) -> [String] {
        record.all.map { string($0, of: bytes, dialect) }
    }

    /// Parses a small CSV text to rows of strings; `nil` if a record is malformed.
    /// - Parameter isStrict: whether a quote inside of a plain cell breaks its record.
    package static func records(_ text: [UInt8], _ dialect: CSVDialect, isStrict: Bool = false) -> [[String]]? {
        var scanner = CSVScanner(dialect)
        let record = CSVRecord()
        var rows: [[String]] = []
        return text.withUnsafeBytes { bytes in
            var at = 0
            while true {
                switch scanner.next(bytes, from: at, isLast: true, into: record) {
                case .record:
                    if record.fault != nil { return nil }
                    if isStrict, let quote = dialect.quote,
                        record.all.contains(where: { !$0.isQuoted && bytes[$0.start..<$0.end].contains(quote) })
                    {
                        return nil
                    }
                    rows.append(strings(record, of: bytes, dialect))
                case .blank, .comment: break
                case .needsMore, .end: return rows
                }
                at = record.end
            }
        }
    }
}
