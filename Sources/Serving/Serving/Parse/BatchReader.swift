internal import JSONText

/// Parses the blocks of a batch; once the header is read, blocks in any order and on any thread.
///
/// ```swift
/// var reader = BatchReader(.csv, passing: ["id"])
/// let start = try reader.begin(slice, model.schema)
/// try block.score(slice, from: start, reader)
/// ```
package struct BatchReader: Sendable {
    /// Form of the input: CSV or JSON Lines.
    package let form: BatchForm
    /// Names of the columns that are copied to the answer.
    package let passing: [String]
    private var rows: CSVRows?

    package init(_ form: BatchForm, passing: [String]) {
        self.form = form
        self.passing = passing
    }

    /// Parses the header in the first slice; returns its length in bytes.
    /// - Parameter slice: the first one.
    /// - Throws: `InputFaults`, `InputFault`.
    package mutating func begin(_ slice: BatchSlice, _ schema: RowSchema) throws -> Int {
        guard form == .csv else {
            // A byte-order mark.
            return slice.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        }
        let batch = RowBatch(schema)
        batch.known = Set(passing)
        var rows = CSVRows(schema)
        let used = try rows.readHeader(of: slice, into: batch, passing: passing)
        if !batch.faults.isEmpty { throw InputFaults(faults: batch.faults) }
        strangers = batch.warnings.map(\.detail)
        self.rows = rows
        return used
    }

    /// Warnings about the header, such as unknown columns.
    package private(set) var strangers: [String] = []
    /// Number of CSV lines before the first record.
    package var headLines: Int { rows?.lines ?? 0 }

    /// Parses all records of a slice from an offset on; returns the number of CSV lines.
    /// - Throws: `InputFault` for what is wrong with more than a row.
    @discardableResult
    package func read(_ slice: BatchSlice, from start: Int, into batch: RowBatch, _ kept: PassthroughCells) throws
        -> Int
    {
        try slice.bytes.withUnsafeBytes { bytes in
            let block = UnsafeRawBufferPointer(rebasing: bytes[start...])
            guard var rows else {
                batch.place = .line
                lines(block, batch, kept)
                return 0
            }
            batch.place = .fields
            rows.lines = 0
            let broken = slice.broken.map { $0.moved(by: -start) }
            _ = try rows.read(
                block, into: batch, upTo: .max, isLast: true, passing: passing.isEmpty ? nil : kept, broken: broken)
            return rows.lines
        }
    }

    private func lines(_ block: UnsafeRawBufferPointer, _ batch: RowBatch, _ kept: PassthroughCells) {
        let reader = JSONRows(batch, mostRows: .max)
        var start = 0
        while start < block.count {
            var end = start
            while end < block.count, block[end] != 10 { end += 1 }
            let line = UnsafeRawBufferPointer(rebasing: block[start..<end])
            start = end + 1
            var scanner = JSONScanner(line)
            if scanner.next() == .end { continue }
            let before = batch.count
            do throws(JSONScanner.Fault) {
                try reader.object(&scanner)
                try scanner.expectEnd()
            } catch {
                if batch.count == before { _ = batch.begin() }
                batch.fail(InputFault(error, at: "byte \(error.offset + 1)"))
            }
            if !passing.isEmpty {
                kept.beginRow()
                pass(line, kept)
            }
        }
    }

    /// Looks for the members that are passed through, as far as the line can be read.
    private func pass(_ line: UnsafeRawBufferPointer, _ kept: PassthroughCells) {
        var scanner = JSONScanner(line)
        guard scanner.take(UInt8(ascii: "{")), !scanner.take(UInt8(ascii: "}")) else { return }
        repeat {
            guard let key = try? scanner.key() else { return }
            let place = passing.firstIndex(of: scanner.string(key))
            scanner.skipSpace()
            let start = scanner.offset
            guard (try? scanner.skipValue()) != nil else { return }
            if let place { kept.put(json: UnsafeRawBufferPointer(rebasing: line[start..<scanner.offset]), at: place) }
        } while (try? scanner.more(UInt8(ascii: "}"))) ?? false
    }
}
