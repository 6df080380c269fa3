internal import Core
internal import DelimitedText
internal import Storage

/// Reads a CSV file sequentially: the header, then its records piece by piece.
///
/// Used by one thread at a time. Throws ``FileRefusal`` for what the file is to blame for, `MartletError` for the machine.
package final class CSVReader: SourceReader {
    let path: String
    let format: SourceFormat
    /// The names that the file gives its columns, or without a header the cells of its first record; `nil` when it has
    /// no record at all.
    package private(set) var header: [String]?

    /// How the file is packed; `nil` when it is not.
    package var packing: String? { stream.packing == .none ? nil : "\(stream.packing)" }

    private let stream: ByteStream
    private let encoding: TextEncoding
    private let converter: TextEncoding.Converter?
    private let target: Int
    private let isWhole: Bool
    private var scanner: CSVScanner
    /// Text that was read and belongs to no piece yet, and the lines and bytes that it was made of.
    private var rest: [UInt8] = []
    private var restLines: [CSVPiece.Line] = []
    private var restRaw: [UInt8] = []
    /// Bytes behind the last whole line, of an encoding that is converted line by line.
    private var tail: [UInt8] = []
    /// Bytes that were read, for messages.
    private var offset = 0
    private var isAtEnd = false
    /// Whether bytes beyond ASCII were held against UTF-8.
    private var isChecked = false

    /// The longest record that is kept in memory to be quarantined.
    private static let longestRecord = 1 << 30

    /// Opens a file and reads its header.
    /// - Parameter target: about how many bytes of text a piece has; `nil` for all of the file in one.
    package init(_ path: String, _ format: SourceFormat, target: Int? = nil) throws {
        self.path = path
        self.format = format
        let stream = try FileRefusal.ofDamage { try ByteStream(path) }
        self.stream = stream
        try SourceFormats.refuseOther(than: format.kind, stream.head)
        let (encoding, mark) = format.encoding.adjusted(to: stream.head)
        self.encoding = encoding
        converter = encoding.isUTF8 ? nil : TextEncoding.Converter(encoding)
        scanner = CSVScanner(format.dialect)
        let size = Int(Disk.stamp(path)?.size ?? 0)
        // Pieces of about the same size, rather than a small one at the end.
        isWhole = target == nil
        if let target {
            self.target = stream.packing == .none && size > target ? size / ((size + target - 1) / target) + 1 : target
        } else {
            self.target = stream.packing == .none ? size + 1 : 1 << 20
        }
        try refuseContradiction()
        if mark > 0 {
            var skipped = [UInt8](repeating: 0, count: mark)
            _ = try skipped.withUnsafeMutableBytes { try read($0) }
            offset = mark
        }
        try readHeader()
    }

    private func read(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try FileRefusal.ofDamage { try stream.read(into: buffer) }
    }

    /// Refuses a file whose first bytes say that it is in another encoding than its source.
    private func refuseContradiction() throws {
        let head = stream.head
        func refuse(_ what: String, _ found: String) -> FileRefusal {
            FileRefusal(
                "\(what), and the source says \(format.encoding); set csv: {encoding: \(found)} if that is what its files are"
            )
        }
        if format.encoding.unit == 1 {
            if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) {
                throw refuse("it begins with the byte order mark of UTF-16 (byte 1)", "utf-16")
            }
            if let zero = head.prefix(400).firstIndex(of: 0),
                head.prefix(400).count(where: { $0 == 0 }) * 3 > min(400, head.count)
            {
                throw refuse("every other byte is 0 (the first is byte \(zero + 1)), as in UTF-16", "utf-16")
            }
        } else if !head.isEmpty, !head.contains(0), format.encoding.adjusted(to: head).mark == 0 {
            throw refuse("none of its first bytes is 0, as they would be in \(format.encoding)", "utf-8")
        }
    }

    private func readHeader() throws {
        let record = CSVRecord()
        var toSkip = format.skipLines
        var at = 0
        // Without a header, the first sound record tells the width, and reading begins at the first of all.
        var first: (at: Int, scanner: CSVScanner)?
        while true {
            var before = scanner
            let found: CSVScanner.Step = rest.withUnsafeBytes { bytes in
                while true {
                    before = scanner
                    let step =
                        toSkip > 0
                        ? scanner.skipLine(bytes, at, isAtEnd, record)
                        : scanner.next(bytes, from: at, isLast: isAtEnd, into: record)
                    switch step {
                    case .blank: at = record.end
                    case .comment:
                        at = record.end
                        toSkip = max(0, toSkip - 1)
                    case .record, .needsMore, .end: return step
                    }
                }
            }
            if found == .needsMore, !isAtEnd {
                // What stands before the header is gone through once.
                if first == nil {
                    drop(at)
                    at = 0
                }
                if rest.count > Self.longestHeader { throw FileRefusal("its header is longer than 64 MiB") }
                try load(max(min(64 << 10, target), 512, rest.count))
                continue
            }
            guard found == .record else { return drop(at) }
            let line = rest.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[record.start..<record.contentEnd]) }
            let problem = problem(of: line, record)
            if let problem, format.header { throw FileRefusal(problem) }
            if problem != nil {
                if first == nil { first = (record.start, before) }
                at = record.end
                continue
            }
            header = rest.withUnsafeBytes { bytes in
                CSVText.strings(record, of: bytes, format.dialect).map { Self.trimmed($0) }
            }
            if let first { scanner = first.scanner }
            scanner.width = record.count
            return drop(first?.at ?? (format.header ? record.end : at))
        }
    }

    private static let longestHeader = 64 << 20

    /// Why a first record names no columns.
    private func problem(of line: UnsafeRawBufferPointer, _ record: CSVRecord) -> String? {
        if let invalid = UTF8Check.firstInvalid(line) {
            return "its header holds bytes that are no UTF-8 (0x\(hex(line[invalid])) in \"\(Self.shown(line))\"); "
                + "it looks like \(TextEncoding.guess(line)): csv: {encoding: …} says how the files are written"
        }
        if let zero = line.firstIndex(of: 0) {
            return "byte \(zero + 1) of its header, \"\(Self.shown(line))\", is NUL"
        }
        return record.fault.map { "its header cannot be read: \($0.sentence)" }
    }

    private func hex(_ byte: UInt8) -> String { String(byte, radix: 16, uppercase: true) }

    /// The beginning of a line for a message, what is not printable as `\xNN`.
    private static func shown(_ line: UnsafeRawBufferPointer) -> String {
        line.prefix(40).map { byte in
            (0x20..<0x7F).contains(byte)
                ? String(UnicodeScalar(byte))
                : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    private static func trimmed(_ name: String) -> String {
        var name = Substring(name)
        while let first = name.first, first.isWhitespace { name = name.dropFirst() }
        while let last = name.last, last.isWhitespace { name = name.dropLast() }
        return String(name)
    }

    /// Whether every byte of the file has been given out in a piece, or stood before the first record.
    package var isExhausted: Bool { header == nil || isAtEnd && rest.isEmpty && tail.isEmpty }

    /// The next records; `nil` when there are none left.
    package func next() throws -> (any RecordPiece)? {
        guard header != nil else { return nil }
        var wanted = max(target, 1)
        if converter == nil { return try nextOfUTF8(wanted) }
        while true {
            // Text may be longer than its bytes, so that one reading need not bring what is wanted.
            while !isAtEnd, isWhole || rest.count < wanted { try load(max(1 << 16, wanted - rest.count)) }
            if rest.isEmpty, isAtEnd { return nil }
            let before = scanner
            guard let end = rest.withUnsafeBytes({ cut($0) }) else {
                try refuseEndless(rest.count)
                wanted = rest.count * 2
                continue
            }
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: end + 16, alignment: 16)
            rest[..<end].withUnsafeBytes { memory.copyMemory(from: $0) }
            let lines = Array(restLines.prefix { $0.text < end })
            let rawEnd = lines.count < restLines.count ? restLines[lines.count].raw : restRaw.count
            let raw = Array(restRaw[..<rawEnd])
            drop(end)
            return CSVPiece(memory, count: end, before, raw: raw, lines: lines)
        }
    }

    /// The same without a copy of what was read.
    private func nextOfUTF8(_ wanted: Int) throws -> CSVPiece? {
        var capacity = max(wanted, rest.count + 1)
        var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity + 16, alignment: 16)
        var isOurs = true
        defer { if isOurs { memory.deallocate() } }
        var count = rest.count
        memory.copyBytes(from: rest)
        rest = []
        while true {
            if !isAtEnd {
                let found = try read(UnsafeMutableRawBufferPointer(rebasing: memory[count..<capacity]))
                offset += found
                isAtEnd = count + found < capacity
                count += found
            }
            if count == 0 { return nil }
            let before = scanner
            if isAtEnd || !isWhole, let end = cut(UnsafeRawBufferPointer(rebasing: memory[..<count])) {
                rest = Array(memory[end..<count])
                isOurs = false
                return CSVPiece(memory, count: end, before)
            }
            try refuseEndless(count)
            capacity *= 2
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity + 16, alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
            memory.deallocate()
            memory = larger
        }
    }

    private func refuseEndless(_ count: Int) throws {
        if count > Self.longestRecord { throw FileRefusal("a line of it is longer than 1 GiB") }
    }

    /// Where the last whole record of the text ends; the scanner is moved on to it. `nil` when not even one is whole.
    private func cut(_ text: UnsafeRawBufferPointer) -> Int? {
        if isAtEnd { return text.count }
        if let end = CSVCut.end(of: text, scanner) {
            scanner.consumed(end)
            return end
        }
        let record = CSVRecord()
        var end = 0
        while true {
            switch scanner.next(text, from: end, isLast: false, into: record) {
            case .record, .blank, .comment: end = record.end
            case .needsMore, .end:
                guard end > 0 else { return nil }
                scanner.consumed(end)
                return end
            }
        }
    }

    /// Forgets text that has been read.
    private func drop(_ count: Int) {
        guard count > 0 else { return }
        scanner.consumed(count)
        rest.removeFirst(count)
        guard converter != nil else { return }
        let gone = restLines.prefix { $0.text < count }.count
        let raw = gone < restLines.count ? restLines[gone].raw : restRaw.count
        restRaw.removeFirst(raw)
        restLines.removeFirst(gone)
        for place in restLines.indices {
            restLines[place].text -= count
            restLines[place].raw -= raw
        }
    }

    /// Reads about so many bytes more.
    private func load(_ count: Int) throws {
        var bytes = [UInt8](repeating: 0, count: count)
        let found = try bytes.withUnsafeMutableBytes { try read($0) }
        isAtEnd = found < count
        bytes.removeLast(count - found)
        if let converter {
            try convert(bytes, converter)
        } else {
            offset += found
            rest += bytes
        }
    }

    // MARK: Other encodings

    /// Converts whole lines; what stands behind the last one waits for more.
    private func convert(_ bytes: [UInt8], _ converter: TextEncoding.Converter) throws {
        tail += bytes
        try refuseUTF8(tail)
        var start = 0
        try tail.withUnsafeBytes { all in
            while let end = lineEnd(all, from: start) {
                try convert(UnsafeRawBufferPointer(rebasing: all[start..<end]), converter)
                start = end
            }
            if isAtEnd, start < all.count {
                try convert(UnsafeRawBufferPointer(rebasing: all[start...]), converter)
                start = all.count
            }
        }
        tail.removeFirst(start)
    }

    private func convert(_ line: UnsafeRawBufferPointer, _ converter: TextEncoding.Converter) throws {
        restLines.append(.init(text: rest.count, raw: restRaw.count))
        restRaw.append(contentsOf: line)
        if encoding.keepsASCII, !line.contains(where: { $0 >= 0x80 }) {
            rest.append(contentsOf: line)
        } else {
            do { try converter.convert(line, into: &rest) } catch {
                let place = offset + error.offset
                let shown = line[error.offset...].prefix(encoding.unit).map { hex($0) }.joined(separator: " ")
                throw FileRefusal(
                    "byte \(place + 1) of it (0x\(shown)) is no character of \(format.encoding); it looks like "
                        + "\(TextEncoding.guess(line)): csv: {encoding: …} says how the files are written")
            }
        }
        offset += line.count
    }

    /// A text whose every byte beyond ASCII is part of a UTF-8 character is UTF-8, whatever its source says. Looked at
    /// where such bytes come first; text of several bytes a character may pass for UTF-8 as long as it is short.
    private func refuseUTF8(_ bytes: [UInt8]) throws {
        guard encoding.unit == 1, !isChecked, let first = bytes.firstIndex(where: { $0 >= 0x80 }) else { return }
        isChecked = true
        // The last character may be cut.
        let invalid = bytes.withUnsafeBytes { UTF8Check.firstInvalid($0) }
        guard invalid.map({ $0 + 3 >= bytes.count && !isAtEnd }) ?? true else { return }
        guard encoding.keepsASCII || bytes.count(where: { $0 >= 0xC0 }) >= 10 else { return }
        throw FileRefusal(
            "its characters beyond ASCII are UTF-8 (the first is byte \(offset + first + 1)), and the source says "
                + "\(format.encoding); set csv: {encoding: utf-8}")
    }

    /// Where a line of the file ends, its line end included; `nil` when it goes on.
    private func lineEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        let unit = encoding.unit
        func code(_ at: Int) -> Int {
            if unit == 1 { return Int(bytes[at]) }
            return (0..<unit).reduce(0) {
                $0 | Int(bytes[at + $1]) << (8 * (encoding.isBigEndian ? unit - 1 - $1 : $1))
            }
        }
        var at = start
        while at + unit <= bytes.count {
            let found = code(at)
            if found == 10 { return at + unit }
            if found == 13 {
                guard at + 2 * unit <= bytes.count else { return isAtEnd ? at + unit : nil }
                return code(at + unit) == 10 ? at + 2 * unit : at + unit
            }
            at += unit
        }
        return nil
    }
}
