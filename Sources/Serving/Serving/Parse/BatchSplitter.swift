internal import CLibrary
internal import DelimitedText

/// Splits a stream of bytes into slices of whole records, whatever pieces the bytes arrive in.
///
/// ```swift
/// var splitter = BatchSplitter(.csv, blockBytes: 256 << 10, recordBytes: 1 << 20)
/// try splitter.append(piece)
/// while let slice = splitter.next() { work(slice) }
/// let last = try splitter.rest()
/// ```
package struct BatchSplitter: Sendable {
    private let form: BatchForm
    private let sliceBytes: Int
    private let recordBytes: Int
    /// The most records of a slice.
    private let sliceRows: Int
    private var held: [UInt8] = []
    /// Looks again when so many bytes are held: what is looked at more than once stays a small part of all.
    private var lookAt: Int
    /// Behind the last end of a record.
    private var end = 0
    /// Records, or lines, before it.
    private var rows = 0
    /// Whether what is held was not looked through to its end, since a slice was full.
    private var isBehind = false
    /// Bytes of the slices that were cut.
    private var cut = 0
    private var scanner = CSVScanner(CSVRows.dialect)
    private var hasHeader = false
    /// Broken records before `end`.
    private var broken: [BatchSlice.Broken] = []
    /// Up to here, in what is held, the scanner must see every line, since a quote was broken.
    private var brokenUntil = 0

    /// Makes a splitter.
    /// - Parameters:
    ///   - blockBytes: a slice is cut when there are so many.
    ///   - recordBytes: the most bytes of one record.
    ///   - blockRows: the most records of a slice, whose rows take memory by the model's columns, not by their text.
    package init(_ form: BatchForm, blockBytes: Int, recordBytes: Int, blockRows: Int = .max) {
        self.form = form
        sliceRows = blockRows
        self.recordBytes = recordBytes
        sliceBytes = blockBytes
        lookAt = blockBytes
    }

    /// Adds bytes that arrived.
    /// - Throws: `serving.record-too-long`.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(InputFault) {
        held.append(contentsOf: bytes)
        if held.count >= lookAt { try look(isLast: false) }
    }

    /// Returns a slice of whole records; `nil` when there are not enough bytes for one.
    package mutating func next() -> BatchSlice? {
        if isBehind {
            // What is wrong is told by the next `append`, or by `rest`.
            do { try look(isLast: false) } catch { return nil }
        }
        return end >= sliceBytes || rows >= sliceRows ? take() : nil
    }

    /// Returns what is left at the end of the stream, also a record without its line end; empty when there is nothing.
    ///
    /// Where slices have a limit of records, it is called until it returns an empty one.
    /// - Throws: `serving.record-too-long`.
    package mutating func rest() throws(InputFault) -> BatchSlice {
        try look(isLast: true)
        if rows < sliceRows { end = held.count }
        return take()
    }

    private mutating func take() -> BatchSlice {
        let tail = Array(held[end...])
        var slice = BatchSlice(bytes: held, broken: broken)
        slice.bytes.removeLast(slice.bytes.count - end)
        slice.scanner = scanner
        // What is broken is told by the slice.
        slice.scanner.consumed(.max)
        scanner.consumed(end)
        brokenUntil = max(0, brokenUntil - end)
        broken.removeAll()
        cut += end
        held = tail
        end = 0
        isBehind = rows >= sliceRows
        rows = 0
        wait()
        return slice
    }

    private mutating func wait() { lookAt = max(sliceBytes, held.count + (held.count - end) / 4 + 1) }

    private mutating func look(isLast: Bool) throws(InputFault) {
        isBehind = false
        let tooLong = held.withUnsafeBytes { form == .csv ? lookAtCSV($0, isLast) : lookAtLines($0) }
        if let tooLong {
            let at = "byte \(cut + tooLong)"
            throw InputFault(.recordTooLong, at: at, "A record is longer than \(recordBytes) bytes, which is the most.")
        }
        wait()
    }

    /// Moves `end`. Gives where a record begins that is too long.
    private mutating func lookAtLines(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var start = end
        while bytes.count - start > recordBytes {
            let line = UnsafeRawBufferPointer(rebasing: bytes[start...])
            guard let length = line.firstIndex(of: 10), length <= recordBytes else { return start }
            start += length + 1
        }
        moveToLastLine(bytes)
        return nil
    }

    private mutating func moveToLastLine(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        while rows < sliceRows, let newline = memchr(base + end, 10, bytes.count - end) {
            end = UnsafeRawPointer(newline) - base + 1
            rows += 1
        }
    }

    /// The same for CSV: which quotes are broken is seen as well.
    private mutating func lookAtCSV(_ bytes: UnsafeRawBufferPointer, _ isLast: Bool) -> Int? {
        let open = UnsafeRawBufferPointer(rebasing: bytes[end...])
        if hasHeader, scanner.endsWithCR == false, end >= brokenUntil, open.count <= recordBytes,
            CSVRows.hasNoQuotes(open)
        {
            moveToLastLine(bytes)
            return nil
        }
        var at = end
        if !hasHeader, cut == 0 {
            guard let mark = CSVRows.mark(bytes, isLast: isLast) else { return nil }
            at = mark
        }
        let record = CSVRecord()
        scan: while rows < sliceRows {
            switch scanner.next(bytes, from: at, isLast: isLast, into: record) {
            case .end, .needsMore: break scan
            case .blank, .comment: break
            case .record:
                if record.contentEnd - at > recordBytes { return at }
                if let fault = record.fault {
                    broken.append(BatchSlice.Broken(start: at, end: record.end, fault: fault))
                    brokenUntil = bytes.count
                }
                if !hasHeader { scanner.width = record.count }
                hasHeader = true
                rows += 1
            }
            at = record.end
            // The first slice has the header.
            if hasHeader { end = at }
        }
        return isTooLong(bytes, at) ? at : nil
    }

    /// Whether what has arrived of a record is more than the longest one already. Where a quote is open, that is its first
    /// line, which may turn out to be all of it; the scanner bounds the rest.
    private func isTooLong(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        // With CRLF behind it.
        guard bytes.count - start > recordBytes + 2 else { return false }
        let most = bytes[start..<(start + recordBytes + 2)]
        return !most.contains { $0 == 10 || ($0 == 13 && scanner.endsWithCR != false) }
    }
}
