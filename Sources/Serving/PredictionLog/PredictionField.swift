package import Core

/// A field of a logged prediction beside its features, in the order in which it is shown.
///
/// The one list of them: the layout of records, the columns of `monitoring.predictions_<model>`, the JSON of `martlet
/// predictions show` and the table in docs/predictions.md are made from it. A further field needs a case here, with
/// its value and its place.
package enum PredictionField: String, Sendable, CaseIterable {
    case requestID = "request_id"
    case idempotencyKey = "idempotency_key"
    case entityID = "entity_id"
    case project, model, version, signature
    case deployment, arm, role
    case time
    case task, score, decision, band
    case latency = "latency_ms"
    case reasons, warnings

    /// A value as tables and JSON have it.
    package enum Value: Sendable, Equatable {
        case text(String?)
        case texts([String])
        case whole(Int64)
        case number(Double)
        case flag(Bool?)
        case time(Timestamp)
    }

    /// The form of a value.
    package enum Form: Sendable { case text, texts, whole, number, flag, time }

    /// The form of the field's values.
    package var form: Form {
        switch self {
        case .requestID, .idempotencyKey, .entityID, .project, .model, .signature, .deployment, .arm, .role, .task,
            .band:
            .text
        case .version: .whole
        case .score, .latency: .number
        case .decision, .reasons: .flag
        case .time: .time
        case .warnings: .texts
        }
    }

    /// Where a record has the value.
    enum Place: Equatable {
        /// In the segment's frame of the source.
        case source
        /// In the record's head, from this byte of the payload on.
        case head(Int)
        /// A bit of the flags.
        case flag(RecordFlags)
        /// A text behind the features, whose length in bytes is a u16 from this byte on.
        case text(lengthAt: Int)
        /// Texts behind the others, whose count is a u16 from this byte on.
        case texts(countAt: Int)
    }

    @inline(__always)
    var place: Place {
        switch self {
        case .requestID: .text(lengthAt: 34)
        case .idempotencyKey: .text(lengthAt: 36)
        case .entityID: .text(lengthAt: 38)
        case .project, .model, .version, .signature, .deployment, .arm: .source
        case .role: .flag(.shadow)
        case .reasons: .flag(.reasons)
        case .time: .head(8)
        case .task: .head(4)
        case .decision, .band: .head(5)
        case .score: .head(16)
        case .latency: .head(24)
        case .warnings: .texts(countAt: 6)
        }
    }

    /// Byte of the payload from which on the head has the value, or its length or count.
    @inline(__always)
    var offset: Int {
        switch place {
        case .source: 2
        case .flag: 1
        case .head(let offset), .text(let offset), .texts(let offset): offset
        }
    }

    /// Whether records of version 1 have it.
    package var isInVersion1: Bool {
        switch self {
        case .deployment, .arm, .role, .task, .band: false
        default: true
        }
    }

    /// Returns the value in a logged prediction.
    package func value(in row: LoggedPrediction) -> Value {
        switch self {
        case .requestID: .text(row.requestID)
        case .idempotencyKey: .text(row.idempotencyKey)
        case .entityID: .text(row.entityID)
        case .project: .text(row.source.project)
        case .model: .text(row.source.model)
        case .version: .whole(Int64(row.source.version))
        case .signature: .text(row.source.signature.hex)
        case .deployment: .text(row.source.deployment)
        case .arm: .text(row.source.arm)
        case .role: .text(row.role.rawValue)
        case .time: .time(row.time)
        case .task: .text(row.outcome.task)
        case .score: .number(row.outcome.score)
        case .decision: .flag(row.outcome.decision)
        case .band: .text(row.outcome.band)
        case .latency: .number(Double(row.latency) / 1e6)
        case .reasons: .flag(row.hasReasons)
        case .warnings: .texts(row.warnings)
        }
    }

    /// What the field holds, for docs/predictions.md.
    package var meaning: String {
        switch self {
        case .requestID: "id of the request; `.n` follows for row n of several"
        case .idempotencyKey: "value of the request's `Idempotency-Key`"
        case .entityID: "whom the row is about"
        case .project: "name of the project"
        case .model: "name of the model"
        case .version: "version that made the prediction"
        case .signature: "digest of the version's signature"
        case .deployment: "deployment that routed the request; `default` in version 1"
        case .arm: "arm of the deployment that the version was; `champion` in version 1"
        case .role: "`answering`, or `shadow` for a prediction that nobody was answered with"
        case .time: "when the request was answered, UTC"
        case .task: "form of the outcome: `binary`"
        case .score: "calibrated probability of the positive class"
        case .decision: "decision by the model's threshold"
        case .band: "`low`, `medium` or `high`; null for a model without bands, and in version 1"
        case .latency: "from the arrival of the request to the score"
        case .reasons: "whether the answer had reasons"
        case .warnings: "codes of the row's warnings"
        }
    }

    /// Place in a record for docs/predictions.md: a byte of the payload, a flag or the source.
    package var placeText: String {
        switch place {
        case .source: "source"
        case .flag(let flag): "flag \(flag.rawValue)"
        case .head(let offset): "\(offset)"
        case .text(let offset): "text, length at \(offset)"
        case .texts(let offset): "texts, count at \(offset)"
        }
    }
}
