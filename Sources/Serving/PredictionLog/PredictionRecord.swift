package import Core

/// One prediction to be logged. Its project, model, deployment and arm are those of its source.
package struct PredictionRecord: Sendable {
    /// Id of the request; at most 65,535 bytes of UTF-8, as the other texts.
    package var requestID: String
    /// Row number, from 0, of a request with several rows; the logged id is then `requestID.row`.
    package var row: Int?
    /// Value of the request's Idempotency-Key header; `nil` when there was none.
    package var idempotencyKey: String?
    /// Whom the row is about: its value of the model's `entity` column; `nil` when the row has none.
    package var entityID: String?
    /// The registered source that made the prediction.
    package var source: PredictionSourceNumber
    /// Wall-clock time at which the request was answered.
    package var time: Timestamp
    /// The encoded feature row, in the order of the source's columns.
    ///
    /// Numbers as they are, NaN where missing, categories as level codes.
    package var features: [Double]
    /// What was predicted.
    package var outcome: PredictionOutcome
    /// Whether the client was answered with it.
    package var role: PredictionRole
    /// Nanoseconds from the arrival of the request to the score.
    package var latency: Int64
    /// Whether the response included reasons.
    package var hasReasons: Bool
    /// Codes of warnings, such as an unknown category taken as missing, of this row.
    package var warnings: [String]

    package init(
        requestID: String, row: Int? = nil, idempotencyKey: String? = nil, entityID: String? = nil,
        source: PredictionSourceNumber, time: Timestamp, features: [Double] = [], outcome: PredictionOutcome,
        role: PredictionRole = .answering, latency: Int64 = 0, hasReasons: Bool = false, warnings: [String] = []
    ) {
        self.requestID = requestID
        self.row = row
        self.idempotencyKey = idempotencyKey
        self.entityID = entityID
        self.source = source
        self.time = time
        self.features = features
        self.outcome = outcome
        self.role = role
        self.latency = latency
        self.hasReasons = hasReasons
        self.warnings = warnings
    }

    /// The request's id as it is logged.
    var loggedID: String { row.map { "\(requestID).\(max(0, $0))" } ?? requestID }
}

/// A prediction read back from a segment, of whatever version; ``PredictionField`` lists its fields.
package struct LoggedPrediction: Sendable, Equatable {
    /// Id of the request; for a numbered row, a dot and its number from 0 follow: "7f3a.12".
    package let requestID: String
    /// Value of the request's Idempotency-Key header; `nil` when there was none.
    package let idempotencyKey: String?
    /// Whom the row is about: its value of the model's `entity` column; `nil` when the row had none.
    package let entityID: String?
    /// The model version that made the prediction, with deployment and arm, as the segment describes it.
    package let source: PredictionSource
    /// Wall-clock time at which the request was answered.
    package let time: Timestamp
    /// Feature row in the order of `source.columns`: numbers, NaN where missing, level codes of categories.
    package let features: [Double]
    /// What was predicted.
    package let outcome: PredictionOutcome
    /// Whether the client was answered with it; what records of version 1 hold was.
    package let role: PredictionRole
    /// Nanoseconds from the arrival of the request to the score.
    package let latency: Int64
    /// Whether the response included reasons.
    package let hasReasons: Bool
    /// Codes of warnings, such as an unknown category taken as missing, of this row.
    package let warnings: [String]

    package init(_ record: PredictionRecord, source: PredictionSource) {
        requestID = record.loggedID
        idempotencyKey = record.idempotencyKey
        entityID = record.entityID
        self.source = source
        time = record.time
        features = record.features
        outcome = record.outcome
        role = record.role
        latency = record.latency
        hasReasons = record.hasReasons
        warnings = record.warnings
    }
}
