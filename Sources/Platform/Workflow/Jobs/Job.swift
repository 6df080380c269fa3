internal import Core
package import Registry

/// Work that is handed over: what the command line, the HTTP API and the server itself put into the queue, and what a
/// ``JobHandler`` does.
///
/// ```swift
/// let job = Job.train(TrainJob(splitSeed: 7))
/// let (record, isNew) = try registry.jobs.submit(JobOrder(job))
/// ```
///
/// As JSON it is an object with `kind` and what the kind needs: `{"kind": "train", "split_seed": 7}`. Members that are
/// missing have their defaults, and unknown ones are passed over, so that a queue outlives a new release.
package enum Job: Sendable, Equatable {
    case run(RunJob)
    case ingest(IngestJob)
    case transform(TransformJob)
    case train(TrainJob)
    case predict(PredictJob)
    case verify(VerifyJob)
    case compactPredictions(CompactPredictionsJob)

    /// All kinds there are.
    package static let kinds: [any JobDefinition.Type] = [
        RunJob.self, IngestJob.self, TransformJob.self, TrainJob.self, PredictJob.self, VerifyJob.self,
        CompactPredictionsJob.self,
    ]

    /// What it is to do, whatever its kind.
    package var definition: any JobDefinition {
        switch self {
        case .run(let job): job
        case .ingest(let job): job
        case .transform(let job): job
        case .train(let job): job
        case .predict(let job): job
        case .verify(let job): job
        case .compactPredictions(let job): job
        }
    }

    /// The word that names its kind: "train".
    package var kind: String { type(of: definition).kind }
}

extension Job: Codable {
    private enum CodingKeys: String, CodingKey { case kind }

    /// - Throws: `job.kind` for a kind that this program does not know; `DecodingError` for what is no job.
    package init(from decoder: any Decoder) throws {
        let kind = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .kind)
        guard let definition = Self.kinds.first(where: { $0.kind == kind }) else {
            throw MartletError(
                .input, "job.kind", "This program does not know jobs of the kind \(kind).",
                remedy: "It knows \(Self.kinds.map { $0.kind }.joined(separator: ", ")).")
        }
        self = try definition.init(from: decoder).job
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(kind, forKey: .kind)
        try definition.encode(to: encoder)
    }
}

extension JobOrder {
    /// An order for a job.
    package init(
        _ job: Job, priority: Int = 0, maxAttempts: Int = 3, timeLimit: Double? = nil, memoryLimit: Int64? = nil,
        idempotencyKey: String? = nil
    ) throws {
        self.init(
            kind: job.kind, arguments: job.definition.arguments, definition: try JSON.text(job),
            exclusive: type(of: job.definition).isExclusive, priority: priority, maxAttempts: maxAttempts,
            timeLimit: timeLimit, memoryLimit: memoryLimit, idempotencyKey: idempotencyKey)
    }
}
