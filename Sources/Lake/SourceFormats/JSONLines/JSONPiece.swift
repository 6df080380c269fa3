internal import DelimitedText
internal import JSONText

/// Some lines of a JSON Lines file, and the columns of the whole file.
final class JSONPiece: RecordPiece {
    let chunk: LineChunks.Chunk
    let columns: JSONColumns

    init(_ chunk: LineChunks.Chunk, _ columns: JSONColumns) {
        self.chunk = chunk
        self.columns = columns
    }

    func records(cells: Int) -> any RecordCursor { JSONRecords(self, cells: cells) }
}

/// Goes through the records of a piece of a JSON Lines file.
final class JSONRecords: RecordCursor {
    private let piece: JSONPiece
    private let columns: JSONColumns
    private let width: Int
    private var at = 0
    private var number = 0
    private var line = UnsafeRawBufferPointer(start: nil, count: 0)
    private var arena = TextArena()
    private let row: UnsafeMutableBufferPointer<SourceCell>
    /// The number of the record that set each cell last.
    private var setBy: [Int]
    private var arePadded = false
    private(set) var fault: String?

    init(_ piece: JSONPiece, cells: Int) {
        self.piece = piece
        columns = piece.columns
        width = cells
        row = .allocate(capacity: max(1, cells))
        row.initialize(repeating: SourceCell(nil, 0))
        setBy = Array(repeating: 0, count: cells)
    }

    deinit { row.deallocate() }

    func next() -> Bool {
        guard let found = piece.chunk.line(from: &at) else { return false }
        line = found
        number += 1
        fault = nil
        arePadded = false
        for column in 0..<width { row[column].count = 0 }
        var scanner = JSONScanner(line)
        scanner.takesNotFinite = true
        do {
            try read(&scanner, node: 0, depth: 0)
            try scanner.expectEnd()
        } catch let error as JSONScanner.Fault {
            fault = "it is no JSON object: " + error.sentence
        } catch let error as RecordFault {
            fault = error.reason
        } catch { fault = "\(error)" }
        return true
    }

    func cells() -> (all: UnsafeBufferPointer<SourceCell>, arePadded: Bool) {
        (UnsafeBufferPointer(rebasing: row[..<width]), arePadded)
    }

    var bytes: UnsafeRawBufferPointer? { line }
    var text: UnsafeRawBufferPointer { line }

    private struct RecordFault: Error { let reason: String }

    private func read(_ scanner: inout JSONScanner, node: Int, depth: Int) throws {
        var hint = 0
        try scanner.forEachMember(depth: depth) { scanner, name in
            guard let found = columns.find(node, name, hint: hint) else {
                throw RecordFault(reason: "the file was changed while it was read")
            }
            hint = found + 1
            let member = columns.member(node, found)
            if scanner.next() == .object, member.node >= 0 {
                try read(&scanner, node: member.node, depth: depth + 1)
            } else {
                try set(member.column, &scanner, depth)
            }
        }
    }

    /// Takes a value as the cell of a column.
    private func set(_ column: Int, _ scanner: inout JSONScanner, _ depth: Int) throws {
        let kind = scanner.next()
        let start = scanner.offset
        let text = kind == .text ? try scanner.text() : nil
        if text == nil { try scanner.skipValue(depth: depth + 1) }
        guard (0..<width).contains(column) else { return }
        guard setBy[column] != number else {
            throw RecordFault(reason: "it names \(columns.names[column]) twice")
        }
        setBy[column] = number
        guard let base = line.baseAddress?.assumingMemoryBound(to: UInt8.self), kind != .null else { return }
        guard let text else {
            row[column] = SourceCell(base + start, scanner.offset - start)
            return
        }
        guard text.hasEscapes else {
            row[column] = SourceCell(base + text.start, text.count)
            if text.count > 0, base[text.start] <= 32 || base[text.start + text.count - 1] <= 32 { arePadded = true }
            return
        }
        guard !scanner.hasLoneSurrogate(text) else {
            throw RecordFault(reason: "\(columns.names[column]) has half of a surrogate pair, which is no character")
        }
        let decoded = Array(scanner.string(text).utf8)
        guard !decoded.contains(0) else { throw RecordFault(reason: "\(columns.names[column]) has a NUL character") }
        arePadded = true
        row[column] = arena.keep(decoded)
    }
}

/// A single record of a JSON Lines file.
enum JSONRecord {
    /// The cells of a record under a header, missing ones empty.
    /// - Throws: ``FileRefusal`` for a record that cannot be taken apart, or has members that the header lacks.
    static func cells(of record: String, _ header: [String]) throws -> [String] {
        let bytes = Array(record.utf8)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 16, alignment: 16)
        memory.copyBytes(from: bytes)
        let columns = JSONColumns()
        let piece = JSONPiece(LineChunks.Chunk(memory, 0..<bytes.count), columns)
        try piece.chunk.forEachLine { try columns.add($0) }
        let records = piece.records(cells: columns.names.count)
        guard records.next() else { return header.map { _ in "" } }
        if let fault = records.fault { throw FileRefusal(fault) }
        let found = records.cells().all
        var cells = header.map { _ in "" }
        for (name, cell) in zip(columns.names, found) {
            guard let place = header.firstIndex(of: name) else {
                throw FileRefusal("it has the member \(name), which its file does not have")
            }
            cells[place] = String(decoding: UnsafeBufferPointer(start: cell.start, count: cell.count), as: UTF8.self)
        }
        guard !records.next() else { throw FileRefusal("it is more than one record") }
        return cells
    }
}
