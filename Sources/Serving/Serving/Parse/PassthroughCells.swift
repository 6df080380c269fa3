internal import JSONText

/// Cells of a batch that are copied from input to output, encoded for the output form.
package final class PassthroughCells {
    /// Names of the copied columns.
    package let names: [String]
    /// The form of the output.
    let form: BatchForm
    // Used by one thread at a time, and no call of these goes on while another does.
    @exclusivity(unchecked) private(set) var bytes: [UInt8] = []
    /// Where in `bytes` the cell of each row and name is; empty where the row has no such cell. A block of a batch has
    /// some megabytes.
    @exclusivity(unchecked) private var cells: [Range<UInt32>] = []

    package init(_ names: [String], form: BatchForm) {
        self.names = names
        self.form = form
    }

    func reset() {
        bytes.removeAll(keepingCapacity: true)
        cells.removeAll(keepingCapacity: true)
    }

    func beginRow() { for _ in 0..<names.count { cells.append(0..<0) } }

    /// A cell of CSV, its quotes resolved. An empty text that had quotes keeps them: what reads the answer may tell it
    /// from no text.
    /// - Parameter isText: whether the bytes are UTF-8 without NUL; U+FFFD stands for those that are not.
    func put(text: UnsafeRawBufferPointer, isQuoted: Bool = false, isText: Bool = true, at place: Int) {
        if !isText {
            var repaired = CSVRows.repaired(text)
            return repaired.withUTF8 { put(text: UnsafeRawBufferPointer($0), isQuoted: isQuoted, at: place) }
        }
        let start = bytes.count
        switch form {
        case .csv where text.isEmpty && isQuoted: bytes += [UInt8(ascii: "\""), UInt8(ascii: "\"")]
        case .csv: CSVField.append(text, to: &bytes)
        case .jsonLines: appendJSON(text)
        }
        set(start, place)
    }

    /// A value of JSON as it stands in the input.
    func put(json value: UnsafeRawBufferPointer, at place: Int) {
        let start = bytes.count
        switch form {
        case .jsonLines: bytes.append(contentsOf: value)
        case .csv:
            var scanner = JSONScanner(value)
            switch scanner.next() {
            case .text:
                guard let text = try? scanner.text() else { return }
                var string = scanner.string(text)
                string.withUTF8 { put(text: UnsafeRawBufferPointer($0), isQuoted: true, at: place) }
                return
            case .null: break
            default: CSVField.append(value, to: &bytes)
            }
        }
        set(start, place)
    }

    /// Returns the encoded cell of a row.
    package func cell(_ row: Int, _ place: Int) -> ArraySlice<UInt8> {
        let cell = cells[row * names.count + place]
        return bytes[Int(cell.lowerBound)..<Int(cell.upperBound)]
    }

    private func set(_ start: Int, _ place: Int) {
        let cell = cells.count - names.count + place
        // A name that comes twice in a row: the last one counts.
        if cells.indices.contains(cell) { cells[cell] = UInt32(start)..<UInt32(bytes.count) }
    }

    private func appendJSON(_ text: UnsafeRawBufferPointer) {
        var writer = JSONWriter()
        writer.text(String(decoding: text, as: UTF8.self))
        bytes += writer.bytes
    }
}

/// Encodes CSV cells by RFC 4180.
enum CSVField {
    /// A cell, in quotes where it needs them.
    static func append(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        let isPlain = text.allSatisfy { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: ",") && $0 != 10 && $0 != 13 }
        if isPlain { return bytes.append(contentsOf: text) }
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    static func append(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0), to: &bytes) }
    }
}
