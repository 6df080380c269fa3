import DelimitedText
import Serving

/// CSV as it arrives: the first byte says where it is cut, the rest is the file.
enum CSVSurface {
    static func run(_ input: UnsafeRawBufferPointer) {
        guard let cut = input.first else { return }
        let file = UnsafeRawBufferPointer(rebasing: input[1...])
        let whole = Bodies.read("CSV") { batch, schema in
            var rows = CSVRows(schema)
            var last = 0
            let used = try rows.read(file, into: batch, upTo: Bodies.mostRows, isLast: true) { line in
                demand(last <= line.lowerBound && line.upperBound <= file.count, "lines are in order")
                last = line.upperBound
            }
            demand(used == file.count || batch.count == Bodies.mostRows, "a file is read to its end")
        }
        let piecewise = Bodies.Outcome(RowBatch(Bodies.lenient)) { batch in
            try pieces(file, max(1, Int(cut)), batch)
        }
        demand(
            whole.equals(piecewise), "a file in pieces of \(cut) reads as in one: \(whole) and \(piecewise)")
        singly(file, whole)
        batches(file, max(1, Int(cut)), whole)
        Bodies.agree("CSV", whole)
        if whole.isAccepted { plant(whole.rows - 1) }
    }

    /// How many records the scanner finds, the header left out.
    private static func records(_ file: UnsafeRawBufferPointer) -> Int {
        let text = UnsafeRawBufferPointer(rebasing: file[(file.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)...])
        var scanner = CSVScanner(CSVDialect())
        let record = CSVRecord()
        var (at, records) = (0, 0)
        while true {
            switch scanner.next(text, from: at, isLast: true, into: record) {
            case .record:
                if records == 0 { scanner.width = record.count }
                records += 1
            case .blank, .comment: break
            case .needsMore, .end: return records - 1
            }
            at = record.end
        }
    }

    /// A batch of the same bytes: each record is answered, with a score or an error, wherever it is cut.
    private static func batches(_ file: UnsafeRawBufferPointer, _ size: Int, _ whole: Bodies.Outcome) {
        if whole.refusal != nil { return }
        let records = records(file)
        demand(whole.rows == min(records, Bodies.mostRows), "\(records) records are \(whole.rows) rows")
        func read(_ pieces: Int, sliceBytes: Int) -> (values: [Double], faults: [String]) {
            var splitter = BatchSplitter(.csv, blockBytes: sliceBytes, recordBytes: 1 << 20)
            var reader: BatchReader?
            var (values, faults, rows, lines): ([Double], [String], Int, Int) = ([], [], 0, 0)
            func take(_ slice: BatchSlice) throws {
                var start = 0
                if reader == nil {
                    var first = BatchReader(.csv, passing: [])
                    start = try first.begin(slice, Bodies.lenient)
                    reader = first
                }
                let batch = RowBatch(Bodies.lenient)
                batch.isByRow = true
                let count = try reader?.read(slice, from: start, into: batch, PassthroughCells([], form: .csv)) ?? 0
                values += batch.rows
                faults += batch.rowFaults.map { "\(rows + $0.row) \(lines + $0.line) \($0.fault.code)" }
                rows += batch.count
                lines += count
            }
            do {
                var at = 0
                while at < file.count {
                    let end = min(file.count, at + pieces)
                    try splitter.append(UnsafeRawBufferPointer(rebasing: file[at..<end]))
                    at = end
                    while let slice = splitter.next() { try take(slice) }
                }
                try take(try splitter.rest())
            } catch { demand(false, "a batch is read as the same body is: \(error)") }
            demand(rows == records, "\(records) records have \(rows) answers and errors")
            return (values, faults)
        }
        let (one, other) = (read(size, sliceBytes: size), read(file.count, sliceBytes: .max))
        demand(Bodies.sameBits(one.values, other.values) && one.faults == other.faults, "slices do not matter")
        if whole.faults.isEmpty, whole.rows == records {
            demand(Bodies.sameBits(one.values, whole.values) && one.faults.isEmpty, "a batch reads as a body does")
        }
    }

    /// Bytes arrive a piece at a time; what was not used is kept in front of the next piece.
    private static func pieces(_ file: UnsafeRawBufferPointer, _ size: Int, _ batch: RowBatch) throws {
        var rows = CSVRows(Bodies.lenient)
        var kept: [UInt8] = []
        var at = 0
        repeat {
            let end = min(at + size, file.count)
            kept += file[at..<end]
            at = end
            let used = try kept.withUnsafeBytes {
                try rows.read($0, into: batch, upTo: Bodies.mostRows, isLast: at == file.count)
            }
            kept.removeFirst(used)
        } while at < file.count && batch.count < Bodies.mostRows
    }

    /// One row at a time into a batch that is emptied in between.
    private static func singly(_ file: UnsafeRawBufferPointer, _ whole: Bodies.Outcome) {
        guard whole.refusal == nil, whole.faults.isEmpty else { return }
        var rows = CSVRows(Bodies.lenient)
        let batch = RowBatch(Bodies.lenient)
        var values: [Double] = []
        var at = 0
        while at < file.count, values.count < whole.values.count {
            let rest = UnsafeRawBufferPointer(rebasing: file[at...])
            guard let used = try? rows.read(rest, into: batch, upTo: 1, isLast: true) else { break }
            demand(used > 0, "every call uses bytes")
            at += used
            values += batch.rows
            batch.reset(Bodies.lenient)
        }
        demand(Bodies.sameBits(values, whole.values), "rows read singly are those read together")
    }
}
