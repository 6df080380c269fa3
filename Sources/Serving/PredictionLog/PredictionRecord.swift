package import Core

/// One answered prediction, as it is logged.
package struct PredictionRecord: Sendable {
    /// At most 65,535 bytes of UTF-8, as the other texts.
    package var requestID: String
    /// Of a request with several rows, the row's number, 0 or more: the id that is logged is `requestID.row`.
    package var row: Int?
    package var idempotencyKey: String?
    package var entityID: String?
    package var source: PredictionSourceNumber
    /// When the request was answered, wall clock.
    package var time: Timestamp
    /// The row as the model saw it: numbers as they are, NaN where missing, categories as level codes; in the order of
    /// the source's columns.
    package var features: [Double]
    package var score: Double
    /// What the score led to by the model's threshold; `nil` where none was applied.
    package var decision: Bool?
    /// From the arrival of the request to the score, in nanoseconds.
    package var latency: Int64
    /// Whether the answer gave reasons.
    package var hasReasons: Bool
    /// Codes of what was noticed about the row, such as an unknown category taken as missing.
    package var warnings: [String]

    package init(
        requestID: String, row: Int? = nil, idempotencyKey: String? = nil, entityID: String? = nil,
        source: PredictionSourceNumber, time: Timestamp, features: [Double] = [], score: Double, decision: Bool? = nil,
        latency: Int64 = 0,
        hasReasons: Bool = false, warnings: [String] = []
    ) {
        self.requestID = requestID
        self.row = row
        self.idempotencyKey = idempotencyKey
        self.entityID = entityID
        self.source = source
        self.time = time
        self.features = features
        self.score = score
        self.decision = decision
        self.latency = latency
        self.hasReasons = hasReasons
        self.warnings = warnings
    }

    /// The request's id as it is logged.
    var loggedID: String { row.map { "\(requestID).\(max(0, $0))" } ?? requestID }
}

/// A prediction read back from a segment.
package struct LoggedPrediction: Sendable, Equatable {
    package let requestID: String
    package let idempotencyKey: String?
    package let entityID: String?
    package let source: PredictionSource
    package let time: Timestamp
    package let features: [Double]
    package let score: Double
    package let decision: Bool?
    package let latency: Int64
    package let hasReasons: Bool
    package let warnings: [String]

    package init(_ record: PredictionRecord, source: PredictionSource) {
        requestID = record.loggedID
        idempotencyKey = record.idempotencyKey
        entityID = record.entityID
        self.source = source
        time = record.time
        features = record.features
        score = record.score
        decision = record.decision
        latency = record.latency
        hasReasons = record.hasReasons
        warnings = record.warnings
    }
}
