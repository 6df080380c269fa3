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
        Bodies.agree("CSV", whole)
        if whole.isAccepted { plant(whole.rows - 1) }
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
