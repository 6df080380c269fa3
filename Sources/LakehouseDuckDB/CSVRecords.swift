internal import Vocabulary

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The lines of a CSV file, a line break in quotes being none.
enum CSVRecords {
    /// Goes through a file.
    /// - Parameters:
    ///   - skip: lines at the beginning that are left out, quotes in them having no meaning.
    ///   - body: called with the parts of each line, in order: the bytes, the line break included; whether the line ends
    ///     with them; and whether all of it up to there is empty but for carriage returns.
    static func scan(
        _ path: String, quote: UInt8?, skip: Int = 0,
        _ body: (_ part: UnsafeRawBufferPointer, _ isEnd: Bool, _ isBlank: Bool) -> Void
    ) throws {
        var toSkip = skip
        var isQuoted = false
        var isBlank = true
        var isOpen = false
        try Disk.scan(path) { piece in
            var start = 0
            while toSkip > 0, let end = find(10, in: piece, from: start) {
                start = end + 1
                toSkip -= 1
            }
            if toSkip > 0 { return true }
            var place = start
            var nextQuote = quote.flatMap { find($0, in: piece, from: start) }
            while true {
                let end = find(10, in: piece, from: place)
                while let one = nextQuote, one < end ?? piece.count {
                    isQuoted.toggle()
                    nextQuote = quote.flatMap { find($0, in: piece, from: one + 1) }
                }
                if let end, isQuoted {
                    place = end + 1
                    continue
                }
                let stop = end.map { $0 + 1 } ?? piece.count
                let part = UnsafeRawBufferPointer(rebasing: piece[start..<stop])
                if isBlank { isBlank = part.allSatisfy { $0 == 13 || $0 == 10 } }
                if end == nil {
                    if !part.isEmpty {
                        body(part, false, isBlank)
                        isOpen = true
                    }
                    return true
                }
                body(part, true, isBlank)
                isBlank = true
                isOpen = false
                start = stop
                place = stop
            }
        }
        if isOpen { body(UnsafeRawBufferPointer(start: nil, count: 0), true, isBlank) }
    }

    /// Numbers of the blank lines of a file, counted as DuckDB counts lines: from 1.
    static func blankLines(_ path: String, quote: UInt8?) throws -> [Int] {
        var blank: [Int] = []
        var line = 1
        try scan(path, quote: quote) { _, isEnd, isBlank in
            guard isEnd else { return }
            if isBlank { blank.append(line) }
            line += 1
        }
        return blank
    }

    /// Picks out records as they came.
    /// - Parameter numbers: which, ascending, from 1; blank lines are not counted.
    /// - Returns: their bytes one after the other, and how many records the file has.
    static func pick(
        _ numbers: [Int64], of path: String, quote: UInt8?, skip: Int
    ) throws -> (bytes: [UInt8], count: Int64) {
        var bytes: [UInt8] = []
        var count: Int64 = 0
        var next = 0
        // Where the record that is being looked at begins.
        var begin = 0
        try scan(path, quote: quote, skip: skip) { part, isEnd, isBlank in
            let isWanted = next < numbers.count && numbers[next] == count + 1
            if isWanted { bytes.append(contentsOf: part) }
            guard isEnd else { return }
            if isBlank {
                bytes.removeSubrange(begin...)
                return
            }
            count += 1
            if isWanted { next += 1 }
            begin = bytes.count
        }
        return (bytes, count)
    }

    private static func find(_ byte: UInt8, in piece: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < piece.count, let base = piece.baseAddress,
            let found = memchr(base.advanced(by: start), Int32(byte), piece.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }
}
