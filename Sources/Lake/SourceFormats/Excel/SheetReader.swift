internal import Core
internal import DelimitedText

/// Reads a sheet of an Excel workbook (.xlsx): a header row, then a record a row. Empty rows do not count.
///
/// Cells are texts as `docs/formats.md` says: numbers without needless digits, moments in ISO 8601, the stored results
/// of formulas.
final class SheetReader: SourceReader {
    private(set) var header: [String]?
    let packing: String? = nil
    private(set) var isExhausted = false

    private let rows: SheetRows
    private let parser: XMLParser
    private let stream: ZipArchive.MemberStream
    private let target: Int

    init(_ path: String, _ format: SourceFormat, target: Int?) throws {
        let head = try FileRefusal.ofDamage { try ByteStream(path) }.head
        try SourceFormats.refuseOther(than: format.kind, head)
        guard head.starts(with: ZipArchive.signature) else {
            throw FileRefusal("it does not begin like an Excel workbook (.xlsx)")
        }
        let workbook = try Workbook(path)
        let sheet = try workbook.sheet(format.options["sheet"])
        self.target = target ?? .max
        rows = SheetRows(workbook)
        parser = try XMLParser(rows)
        stream = try FileRefusal.ofDamage { try ZipArchive.MemberStream(of: workbook.archive, sheet.part) }
        var toSkip = format.skipLines
        while true {
            guard let row = try row() else { return }
            if row.number <= toSkip { continue }
            toSkip = 0
            header = row.names
            guard !format.header else { return }
            // Rows may be longer than the first one.
            let width = try SheetRows.width(of: sheet, in: workbook, skipping: format.skipLines)
            while let names = header, names.count < width { header?.append("") }
            rows.putBack()
            return
        }
    }

    /// The next row that has a cell.
    private func row() throws -> SheetRow? {
        while true {
            if let row = rows.take() { return row }
            if let refusal = rows.refusal { throw refusal }
            guard !isExhausted else { return nil }
            if let piece = try FileRefusal.ofDamage({ try stream.next() }) {
                try parser.feed(piece)
            } else {
                try parser.feed(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true)
                isExhausted = true
            }
        }
    }

    func next() throws -> (any RecordPiece)? {
        guard let header else { return nil }
        let piece = SheetPiece(width: header.count)
        while piece.bytes < target, let row = try row() { piece.add(row) }
        return piece.count > 0 ? piece : nil
    }
}

extension SourceFormatDescriptor {
    /// Excel workbooks (.xlsx, .xlsm).
    static let excel = SourceFormatDescriptor(
        kind: "excel", title: "an Excel workbook or a ZIP archive", about: "how its workbooks are read",
        options: [
            SourceOption("sheet", .text, "the sheet with the table (default: the first that is not hidden)"),
            SourceOption("header", .flag, "whether the first row names the columns (default true)"),
            SourceOption("skip_rows", .count(1_000_000), "rows of the sheet above the header (default 0)"),
        ] + SourceOption.cells,
        signature: ZipArchive.signature, expansion: 8, reading: .records { try SheetReader($0, $1, target: $2) })
}
