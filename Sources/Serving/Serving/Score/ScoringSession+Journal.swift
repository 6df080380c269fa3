package import Core
package import PredictionLog

extension ScoringSession {
    /// Properties of a request that are logged with its rows.
    package struct RequestMetadata: Sendable {
        package let requestID: String
        package let idempotencyKey: String?
        /// Wall-clock time of the response.
        package let time: Timestamp
        /// Nanoseconds from the arrival of the request to the score.
        package let latency: Int64

        package init(requestID: String, idempotencyKey: String? = nil, time: Timestamp, latency: Int64) {
            self.requestID = requestID
            self.idempotencyKey = idempotencyKey
            self.time = time
            self.latency = latency
        }
    }

    /// Rows that are encoded before their memory is given back.
    private static let rowsAtOnce = 256

    /// Appends the scored rows to the model's prediction log, as the last step of a request.
    ///
    /// The response may leave when `acknowledged` was called, or at once when the result is `taken`, `sampledOut` or
    /// `dropped`. Of several rows each has the request's id with its place. Waits while the rows of another large
    /// request are written.
    package func log(
        by model: ServedModel, _ known: RequestMetadata, acknowledged: @escaping PredictionLog.Acknowledgement
    ) -> PredictionLog.Admission {
        log(by: model, known, courier: nil, waking: true, mayWait: true, acknowledged: acknowledged) ?? .refused(.busy)
    }

    /// Appends the scored rows to the prediction log without ever waiting, for event loops.
    /// - Parameter waking: whether the log's writer is woken at once.
    /// - Returns: `nil` when there are so many rows that it might have to wait; nothing was logged then.
    package func logAtOnce(
        by model: ServedModel, _ known: RequestMetadata, courier: AcknowledgementCourier?, waking: Bool,
        acknowledged: @escaping PredictionLog.Acknowledgement
    ) -> PredictionLog.Admission? {
        log(by: model, known, courier: courier, waking: waking, mayWait: false, acknowledged: acknowledged)
    }

    private func log(
        by model: ServedModel, _ known: RequestMetadata, courier: AcknowledgementCourier?, waking: Bool, mayWait: Bool,
        acknowledged: @escaping PredictionLog.Acknowledgement
    ) -> PredictionLog.Admission? {
        guard let journal = model.journal, batch.count > 0 else { return .taken }
        if batch.count == 1 {
            return journal.log.submit(
                record(0, numbered: false, model, journal.source, known), features: batch.row(0), courier: courier,
                waking: waking, acknowledged: acknowledged)
        }
        var block = PredictionBlock(journal.log, records: batch.count, mayWait: mayWait)
        for start in stride(from: 0, to: batch.count, by: Self.rowsAtOnce) {
            let end = min(start + Self.rowsAtOnce, batch.count)
            for row in start..<end {
                block.add(record(row, numbered: true, model, journal.source, known), features: batch.row(row))
            }
            batch.discard(before: end)
        }
        if block.needsWait { return nil }
        return journal.log.submit(block, courier: courier, acknowledged: acknowledged)
    }

    @inline(__always)
    private func record(
        _ row: Int, numbered: Bool, _ model: ServedModel, _ source: PredictionSourceNumber, _ known: RequestMetadata
    ) -> PredictionRecord {
        PredictionRecord(
            requestID: known.requestID, row: numbered ? row : nil, idempotencyKey: known.idempotencyKey,
            entityID: row < batch.entities.count ? batch.entities[row] : nil, source: source, time: known.time,
            score: probabilities[row], decision: model.isPositive(probabilities[row]), latency: known.latency,
            hasReasons: hasReasons, warnings: batch.warnings.isEmpty ? [] : batch.warnings.map(\.code.rawValue))
    }
}
