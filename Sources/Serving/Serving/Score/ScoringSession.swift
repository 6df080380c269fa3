/// Parses, scores and answers prediction requests, with buffers reused from one request to the next.
///
/// ```swift
/// let session = ScoringSession(model.schema)
/// try session.answer(native: body, by: deployment, requestID: id, mostRows: { _ in 10_000 })
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
    /// Who answers the rows, and who scores them beside; `nil` before the first request.
    package internal(set) var route: DeploymentRoute?
    /// Number of rows that have a score.
    package var scoredRows: Int { batch.count - batch.rowFaults.count }
    /// Bytes that the rows of the last call of `log` have in the prediction log.
    package var loggedBytes = 0

    package init(_ schema: RowSchema) { batch = RowBatch(schema) }

    /// Parses a native request, scores it and writes the response.
    /// - Throws: `InputFault`, or `InputFaults` for values that the policy refuses.
    package func answer(
        native body: UnsafeRawBufferPointer, by deployment: any Deployment, requestID: String,
        mostRows: (ServedModel) -> Int
    ) throws {
        let rows = try open(native: body, by: deployment, requestID: requestID, mostRows: mostRows)
        if rows > 0, let model = route?.answering.model {
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
        native body: UnsafeRawBufferPointer, by deployment: any Deployment, requestID: String,
        mostRows: (ServedModel) -> Int, check: (_ explainedRows: Int, ServedModel) throws -> Void = { _, _ in }
    ) throws -> Int {
        let (request, model) = try read(by: deployment) { model in
            try NativeRequest(body, into: batch, mostRows: mostRows(model))
        }
        hasReasons = request.explain
        if request.explain { try check(batch.count, model) }
        model.score(batch, into: &probabilities)
        begin(native: model, requestID: requestID)
        if request.explain, batch.count > 0 { return batch.count }
        for row in 0..<batch.count { write(row, model) {} }
        close()
        return 0
    }

    /// Parses a request of MLflow's scoring protocol, scores it and writes the response: the probabilities.
    package func answer(
        mlflow body: UnsafeRawBufferPointer, by deployment: any Deployment, mostRows: (ServedModel) -> Int
    ) throws {
        let (_, model) = try read(by: deployment) { model in
            try MLflowRequest(body, into: batch, mostRows: mostRows(model))
        }
        model.score(batch, into: &probabilities)
        writeMLflow()
    }

    /// Parses a CSV request of MLflow's scoring protocol, scores it and writes the response.
    package func answer(
        mlflowCSV body: UnsafeRawBufferPointer, by deployment: any Deployment, mostRows: (ServedModel) -> Int
    ) throws {
        let (_, model) = try read(by: deployment) { model in
            var rows = CSVRows(model.schema)
            let most = mostRows(model)
            let used = try rows.read(body, into: batch, upTo: most, isLast: true)
            if used < body.count { batch.failTooManyRows(most) }
        }
        model.score(batch, into: &probabilities)
        writeMLflow()
    }

    /// Parses a tensor request, scores it and writes the response.
    /// - Returns: how many bytes of the answer are JSON, if tensors follow as bytes.
    package func answer(
        tensors body: UnsafeRawBufferPointer, jsonBytes: Int?, by deployment: any Deployment, name: String,
        mostRows: (ServedModel) -> Int
    ) throws -> Int? {
        let ((request, wanted), model) = try read(by: deployment) { model in
            let request = try TensorRequest(body, jsonBytes: jsonBytes, into: batch, mostRows: mostRows(model))
            return (request, try Self.wanted(by: request, of: model))
        }
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

    /// Reads rows by the schema of the version that answers them.
    ///
    /// Whom they are about stands in them, so they are read by the schema of the version that answers for nobody in
    /// particular, and once more where another one turns out to answer.
    /// - Throws: what `parse` throws, and `InputFaults` for values that the policy refuses.
    private func read<T>(
        by deployment: any Deployment, _ parse: (ServedModel) throws -> T
    ) throws -> (T, ServedModel) {
        var route = deployment.route(nil)
        begin(route.answering.model)
        var parsed = try parse(route.answering.model)
        if let entity = batch.entities.first ?? nil {
            let own = deployment.route(entity)
            if own.answering.model !== route.answering.model {
                begin(own.answering.model)
                parsed = try parse(own.answering.model)
            }
            route = own
        }
        try refuseFaults()
        self.route = route
        return (parsed, route.answering.model)
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
