internal import CLibrary
internal import DelimitedText

/// Finds a boundary between records in the middle of a CSV file, where quotes are unambiguous.
enum CSVCut {
    /// The end of the last line that is surely the end of a record; `nil` when that takes a closer look: a quote that
    /// does not open at the beginning of a cell or close at its end, line ends other than LF and CRLF, or a broken quote.
    static func end(of text: UnsafeRawBufferPointer, _ scanner: CSVScanner) -> Int? {
        let dialect = scanner.dialect
        guard scanner.isPlain, let base = text.baseAddress else { return nil }
        guard let quote = dialect.quote else { return lastLine(text, 0, text.count) }
        let delimiter = dialect.delimiter[0]
        /// The latest stretches outside of quotes.
        var outside: [(start: Int, end: Int)] = []
        var start = 0
        func find(_ from: Int) -> Int? {
            guard from < text.count, let found = memchr(base + from, Int32(quote), text.count - from) else {
                return nil
            }
            return UnsafeRawPointer(found) - base
        }
        while let open = find(start) {
            let before = open > 0 ? text[open - 1] : 10
            guard before == delimiter || before == 10 else { return nil }
            outside.append((start, open))
            if outside.count > 512 { outside.removeFirst(256) }
            var close = find(open + 1)
            while let at = close, at + 1 < text.count, text[at + 1] == quote { close = find(at + 2) }
            guard let close, close + 1 < text.count else {
                // It goes on behind the text.
                if text.count - open > 1 << 20 { return nil }
                return outside.reversed().lazy.compactMap { lastLine(text, $0.start, $0.end) }.first
            }
            let after = text[close + 1]
            let isEnd = after == 10 || after == 13 && close + 2 < text.count && text[close + 2] == 10
            guard after == delimiter || isEnd, close - open < 1 << 20 else { return nil }
            start = close + 1
        }
        if let end = lastLine(text, start, text.count) { return end }
        return outside.reversed().lazy.compactMap { lastLine(text, $0.start, $0.end) }.first
    }

    private static func lastLine(_ text: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Int? {
        var at = end
        while at > start {
            if text[at - 1] == 10 { return at }
            at -= 1
        }
        return nil
    }
}
