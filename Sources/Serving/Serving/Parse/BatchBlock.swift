internal import Core
internal import Training

/// A reusable block of a batch: reads rows, scores them and writes their answer.
///
/// Sendable: one task or thread uses it at a time.
///
/// ```swift
/// let block = BatchBlock(route, passing: ["id"], output: .csv)
/// try block.score(slice, from: start, reader)
/// let answer = block.answer(from: 1, line: 2, skipping: false)
/// ```
package final class BatchBlock: @unchecked Sendable {
    /// The rows and their scores, to be logged.
    package let session: ScoringSession
    private let kept: PassthroughCells
    private let model: ServedModel
    private var batch: RowBatch { session.batch }
    /// Number of the block's first row in the batch, from 1; known when its answer was made.
    package private(set) var firstRow = 1
    private var firstLine = 1
    /// Number of CSV lines of the block.
    package private(set) var lines = 0

    /// Makes a block for the rows of a batch.
    /// - Parameters:
    ///   - route: who answers the whole batch.
    ///   - output: the form of the answer.
    package init(_ route: DeploymentRoute, passing: [String], output: BatchForm) {
        model = route.answering.model
        session = ScoringSession(model.schema)
        kept = PassthroughCells(passing, form: output)
        session.route = route
        batch.isByRow = true
        batch.known = Set(passing)
    }

    /// Number of rows.
    package var rows: Int { batch.count }
    /// Number of rows that cannot be scored.
    package var failedRows: Int { batch.rowFaults.count }
    /// Returns the first faults, with the numbers of their rows.
    package func faults(most: Int) -> [InputFault] {
        batch.rowFaults.prefix(most).map { entry in
            let fault = placed(entry)
            if entry.fault.path.isEmpty { return fault }
            return InputFault(fault.code, at: "row \(firstRow + entry.row), \(fault.path)", fault.detail)
        }
    }

    /// A row's fault; one of the whole row with its place in the batch.
    private func placed(_ entry: (row: Int, line: Int, fault: InputFault)) -> InputFault {
        guard entry.fault.path.isEmpty else { return entry.fault }
        let place = "row \(firstRow + entry.row), line \(firstLine + entry.line - 1)"
        return InputFault(entry.fault.code, at: place, entry.fault.detail)
    }

    /// Reads the records of a slice from an offset on and scores them.
    /// - Throws: `InputFault` for what is wrong with more than a row.
    package func score(_ slice: BatchSlice, from start: Int, _ reader: BatchReader) throws {
        batch.reset(model.schema)
        kept.reset()
        lines = try reader.read(slice, from: start, into: batch, kept)
        session.score(by: model)
    }

    /// Returns the bytes before the first row's answer, such as the CSV header.
    package static func head(_ model: ServedModel, passing: [String], output: BatchForm) -> [UInt8] {
        guard output == .csv else { return [] }
        var bytes: [UInt8] = []
        for name in columns(model, passing: passing) {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
            CSVField.append(name, to: &bytes)
        }
        return bytes + [10]
    }

    /// Returns the column names of an answer, in order.
    package static func columns(_ model: ServedModel, passing: [String]) -> [String] {
        ["row"] + passing + columns.dropFirst().filter { model.bands != nil || $0 != "band" }
    }

    /// Names of the answer's own columns.
    package static let columns = ["row", "probability", "decision", "band", "error", "warnings"]

    /// Returns the answer to the rows, in order.
    /// - Parameters:
    ///   - first: the number of the first row, from 1.
    ///   - line: the number of the first line, from 1.
    ///   - skipping: leave rows out that cannot be scored.
    package func answer(from first: Int, line: Int, skipping: Bool) -> [UInt8] {
        firstRow = first
        firstLine = line
        var writer = BatchWriter(model, kept, rows: batch.count)
        var fault = 0
        for row in 0..<batch.count {
            var bad: InputFault?
            if fault < batch.rowFaults.count, batch.rowFaults[fault].row == row {
                bad = placed(batch.rowFaults[fault])
                fault += 1
                if skipping { continue }
            }
            writer.row(
                row, number: first + row, probability: session.probabilities[row], bad, batch.warnings(ofRow: row).codes
            )
        }
        return writer.bytes
    }
}
