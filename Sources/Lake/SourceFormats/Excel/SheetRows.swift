internal import Core

/// A row of a sheet that has a cell.
struct SheetRow {
    /// Number of the row in the sheet, from 1.
    var number: Int
    /// Texts by column, from 0; empty ones left out.
    var cells: [(column: Int, text: [UInt8])] = []

    /// The texts of the row, one behind the other.
    var line: [UInt8] { Array(cells.map(\.text).joined(separator: [UInt8(ascii: "\t")])) }

    /// The texts of a header: empty where the row has no cell.
    var names: [String] {
        var names: [String] = []
        for (column, text) in cells {
            while names.count < column { names.append("") }
            names.append(Self.trimmed(String(decoding: text, as: UTF8.self)))
        }
        return names
    }

    private static func trimmed(_ name: String) -> String {
        var name = Substring(name)
        while let first = name.first, first.isWhitespace { name.removeFirst() }
        while let last = name.last, last.isWhitespace { name.removeLast() }
        return String(name)
    }

    /// The name of a column in messages: "AB".
    static func name(of column: Int) -> String {
        var name = ""
        var rest = column + 1
        while rest > 0 {
            rest -= 1
            name = String(UnicodeScalar(UInt8(65 + rest % 26))) + name
            rest /= 26
        }
        return name
    }
}

/// Collects the rows of a sheet while its XML is read (ECMA-376 part 1, 18.3).
final class SheetRows: XMLHandler {
    private let texts: [SourceCell]
    /// Keeps the memory of the texts.
    private let shared: SharedTexts
    private let formats: CellFormats
    private var done: [SheetRow] = []
    private var given = 0
    private var row = SheetRow(number: 0)
    private var column = -1
    private var kind = Kind.number
    private var style = 0
    private var value: [UInt8] = []
    private var isInCells = false
    private var isValue = false
    private var isPhonetic = false
    /// What the sheet is refused for.
    private(set) var refusal: FileRefusal?

    /// Rows of a sheet, and bytes of 32,767 characters in UTF-8 with escapes: what Excel has at most.
    static let mostRows = 1_048_576
    static let longestCell = 1 << 18

    private enum Kind { case number, shared, inline, text, flag }

    init(_ workbook: Workbook) {
        shared = workbook.texts
        texts = workbook.texts.texts
        formats = workbook.formats
    }

    /// Columns up to the last one that has a cell, in the rows behind those that are skipped.
    static func width(of sheet: Workbook.Sheet, in workbook: Workbook, skipping rows: Int) throws -> Int {
        let skipped = rows
        let rows = SheetRows(workbook)
        let parser = try XMLParser(rows)
        var width = 0
        try FileRefusal.ofDamage {
            try workbook.archive.read(sheet.part) { piece in
                try parser.feed(piece)
                while let row = rows.take() {
                    if row.number > skipped { width = max(width, (row.cells.last?.column ?? -1) + 1) }
                }
                if let refusal = rows.refusal { throw refusal }
            }
        }
        return width
    }

    /// The next whole row.
    func take() -> SheetRow? {
        guard given < done.count else {
            done.removeAll(keepingCapacity: true)
            given = 0
            return nil
        }
        given += 1
        return done[given - 1]
    }

    /// Gives the row that was taken last once more.
    func putBack() { given -= 1 }

    func begin(_ name: UnsafePointer<CChar>, _ attributes: XMLAttributes) {
        // Extensions behind the cells may have elements of the same names.
        if same(name, "sheetData") { isInCells = true }
        guard isInCells else { return }
        if same(name, "c") {
            column = attributes.pointer("r").flatMap { Self.column($0) } ?? column + 1
            style = attributes["s"].flatMap { Int($0) } ?? 0
            kind =
                switch attributes["t"] {
                case "s": .shared
                case "inlineStr": .inline
                case "str", "e", "d": .text
                case "b": .flag
                default: .number
                }
            value.removeAll(keepingCapacity: true)
        } else if same(name, "v") {
            isValue = kind != .inline
        } else if same(name, "t") {
            isValue = kind == .inline && !isPhonetic
        } else if same(name, "rPh") {
            isPhonetic = true
        } else if same(name, "row") {
            let number = attributes["r"].flatMap { Int($0) } ?? row.number + 1
            if !(1...Self.mostRows).contains(number) {
                refusal = FileRefusal("it has a row beyond the last one of Excel")
            }
            row = SheetRow(number: min(max(number, 1), Self.mostRows))
            column = -1
        }
    }

    func text(_ bytes: UnsafeRawBufferPointer) {
        guard isValue else { return }
        if value.count + bytes.count > Self.longestCell {
            refusal = FileRefusal("the cell \(SheetRow.name(of: column))\(row.number) is longer than any of Excel's")
        } else {
            value.append(contentsOf: bytes)
        }
    }

    func end(_ name: UnsafePointer<CChar>) {
        if same(name, "sheetData") { isInCells = false }
        guard isInCells else { return }
        if same(name, "v") || same(name, "t") {
            isValue = false
        } else if same(name, "rPh") {
            isPhonetic = false
        } else if same(name, "c") {
            let text = cell()
            if !text.isEmpty, refusal == nil {
                if column < (row.cells.last?.column ?? -1) + 1 {
                    refusal = FileRefusal("the cells of its row \(row.number) are not in order")
                }
                row.cells.append((column, text))
            }
        } else if same(name, "row"), !row.cells.isEmpty {
            done.append(row)
        }
    }

    private func cell() -> [UInt8] {
        switch kind {
        case .inline, .text: return CellText.unescaped(value)
        case .flag:
            return value.isEmpty
                ? [] : Array((value == [UInt8(ascii: "1")] || value == Array("true".utf8) ? "true" : "false").utf8)
        case .shared:
            guard let place = Int(String(decoding: value, as: UTF8.self)) else { return [] }
            guard texts.indices.contains(place) else {
                refusal = FileRefusal(
                    "the cell \(SheetRow.name(of: column))\(row.number) refers to the text \(place), which there is not"
                )
                return []
            }
            return Array(UnsafeBufferPointer(start: texts[place].start, count: texts[place].count))
        case .number:
            if value.isEmpty { return [] }
            return Array(formats.text(String(decoding: value, as: UTF8.self), style: style).utf8)
        }
    }

    /// The column of a reference like "AB12", from 0.
    private static func column(_ reference: UnsafePointer<CChar>) -> Int? {
        var column = 0
        var at = 0
        while at < 4 {
            let letter = UInt8(bitPattern: reference[at]) | 0x20
            guard (97...122).contains(letter) else { break }
            column = column * 26 + Int(letter) - 96
            at += 1
        }
        return column > 0 && column <= 16_384 ? column - 1 : nil
    }
}

/// Some rows of a sheet.
///
/// Why `@unchecked Sendable` holds: one thread fills it, and nothing changes once it is given out.
final class SheetPiece: RecordPiece, @unchecked Sendable {
    fileprivate let width: Int
    fileprivate var cells: [SourceCell] = []
    /// By number of the row: why it cannot be taken.
    fileprivate var faults: [Int: (reason: String, text: [UInt8])] = [:]
    private var arena = TextArena()
    private(set) var count = 0
    /// About how much memory the rows take.
    private(set) var bytes = 0

    init(width: Int) { self.width = width }

    func add(_ row: SheetRow) {
        let start = cells.count
        cells.append(contentsOf: repeatElement(SourceCell(nil, 0), count: width))
        bytes += width * 16
        for (column, text) in row.cells {
            bytes += text.count
            guard column < width else {
                faults[count] = (
                    "its cell \(SheetRow.name(of: column))\(row.number) stands behind the last column of the header",
                    row.line
                )
                break
            }
            cells[start + column] = arena.keep(text)
        }
        count += 1
    }

    func records(cells: Int) -> any RecordCursor { SheetRecords(self, cells: cells) }
}

/// Goes through the rows of a piece of a sheet.
final class SheetRecords: RecordCursor {
    private let piece: SheetPiece
    private let width: Int
    private var at = -1
    private let row: UnsafeMutableBufferPointer<SourceCell>
    private var arena = TextArena()

    init(_ piece: SheetPiece, cells: Int) {
        self.piece = piece
        width = cells
        row = .allocate(capacity: max(1, cells))
        row.initialize(repeating: SourceCell(nil, 0))
    }

    deinit { row.deallocate() }

    func next() -> Bool {
        at += 1
        return at < piece.count
    }

    var fault: String? {
        piece.width == width ? piece.faults[at]?.reason : "the file was changed while it was read"
    }
    var bytes: UnsafeRawBufferPointer? { nil }

    var text: UnsafeRawBufferPointer {
        let cell = arena.keep(piece.faults[at]?.text ?? [])
        return UnsafeRawBufferPointer(start: cell.start, count: cell.count)
    }

    func cells() -> (all: UnsafeBufferPointer<SourceCell>, arePadded: Bool) {
        for column in 0..<width { row[column] = piece.cells[at * width + column] }
        return (UnsafeBufferPointer(rebasing: row[..<width]), true)
    }
}
