/// Parses, scores and answers prediction requests, with buffers reused from one request to the next.
///
/// ```swift
/// let session = ScoringSession(model.schema)
/// try session.answer(body, by: model, mostRows: 10_000)
/// let response = session.writer.bytes
/// ```
///
/// Used by one thread at a time. What it has scored is logged by `log`, whoever answers it.
package final class ScoringSession {
    /// The parsed rows of the current request.
    package let batch: RowBatch
    /// The calibrated probability of each row.
    package var probabilities: [Double] = []
    /// The response body.
    package var writer = JSONWriter()
    /// Whether the last response includes reasons.
    package private(set) var hasReasons = false
    /// Number of rows that have a score.
    package var scoredRows: Int { batch.count - batch.rowFaults.count }
    /// Bytes that the rows of the last call of `log` have in the prediction log.
    package var loggedBytes = 0

    package init(_ schema: RowSchema) { batch = RowBatch(schema) }

    /// Parses a native request, scores it and writes the response.
    /// - Throws: `InputFault`, or `InputFaults` for values that the policy refuses.
    package func answer(
        native body: UnsafeRawBufferPointer, by model: ServedModel, requestID: String, mostRows: Int
    ) throws {
        let rows = try open(native: body, by: model, requestID: requestID, mostRows: mostRows)
        if rows > 0 {
            try explain(0..<rows, by: model)
            close()
        }
    }

    /// Parses and scores a native request, and writes the response unless reasons are requested.
    ///
    /// With reasons the response is only begun, and `explain` writes its predictions part by part, until `close`:
    /// reasons cost some hundred times what a score does.
    /// - Parameter check: may refuse a request with reasons for so many rows, before anything is scored.
    /// - Returns: the rows whose predictions are to be written with reasons; 0 where the answer is whole.
    /// - Throws: `InputFault`, or `InputFaults` for values that the policy refuses, and what `check` throws.
    package func open(
        native body: UnsafeRawBufferPointer, by model: ServedModel, requestID: String, mostRows: Int,
        check: (_ explainedRows: Int) throws -> Void = { _ in }
    ) throws -> Int {
        begin(model)
        let request = try NativeRequest(body, into: batch, mostRows: mostRows)
        try refuseFaults()
        hasReasons = request.explain
        if request.explain { try check(batch.count) }
        model.score(batch, into: &probabilities)
        begin(native: model, requestID: requestID)
        if request.explain, batch.count > 0 { return batch.count }
        for row in 0..<batch.count { write(row, model) {} }
        close()
        return 0
    }

    /// Parses a request of MLflow's scoring protocol, scores it and writes the response: the probabilities.
    package func answer(mlflow body: UnsafeRawBufferPointer, by model: ServedModel, mostRows: Int) throws {
        begin(model)
        _ = try MLflowRequest(body, into: batch, mostRows: mostRows)
        try refuseFaults()
        model.score(batch, into: &probabilities)
        writeMLflow()
    }

    /// Parses a CSV request of MLflow's scoring protocol, scores it and writes the response.
    package func answer(mlflowCSV body: UnsafeRawBufferPointer, by model: ServedModel, mostRows: Int) throws {
        begin(model)
        var rows = CSVRows(model.schema)
        let used = try rows.read(body, into: batch, upTo: mostRows, isLast: true)
        if used < body.count { batch.failTooManyRows(mostRows) }
        try refuseFaults()
        model.score(batch, into: &probabilities)
        writeMLflow()
    }

    /// Parses a tensor request, scores it and writes the response.
    /// - Returns: how many bytes of the answer are JSON, if tensors follow as bytes.
    package func answer(
        tensors body: UnsafeRawBufferPointer, jsonBytes: Int?, by model: ServedModel, name: String, mostRows: Int
    ) throws -> Int? {
        begin(model)
        let request = try TensorRequest(body, jsonBytes: jsonBytes, into: batch, mostRows: mostRows)
        let wanted = try Self.wanted(by: request, of: model)
        try refuseFaults()
        model.score(batch, into: &probabilities)
        return write(tensors: wanted, id: request.id, model, name: name)
    }

    /// Scores the rows that were read into `batch`.
    func score(by model: ServedModel) { model.score(batch, into: &probabilities) }

    /// Frees the memory of a large request.
    package func rest() {
        batch.reset(batch.schema)
        if probabilities.count > 1 << 12 { probabilities = [] }
        if writer.bytes.count > 1 << 20 { writer = JSONWriter() }
    }

    private func begin(_ model: ServedModel) {
        batch.reset(model.schema)
        hasReasons = false
    }

    private func refuseFaults() throws {
        if !batch.faults.isEmpty { throw InputFaults(faults: batch.faults) }
    }
}

/// All reported faults of a body's rows.
package struct InputFaults: Error, Sendable, CustomStringConvertible {
    /// The faults in the order in which they were found, up to a limit.
    package let faults: [InputFault]

    package var description: String { faults.map(\.description).joined(separator: "; ") }

    package init(faults: [InputFault]) { self.faults = faults }
}
