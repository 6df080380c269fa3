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
/// missing have their defaults, so that a queue outlives a new release. Unknown ones are refused: an older program must
/// not do half of what a newer one was asked for.
package enum Job: Sendable, Equatable {
    case run(RunJob)
    case ingest(IngestJob)
    case transform(TransformJob)
    case train(TrainJob)
    case predict(PredictJob)
    case verify(VerifyJob)
    case compactPredictions(CompactPredictionsJob)

    /// The types of all kinds of jobs that this program knows.
    package static let kinds: [any JobDefinition.Type] = [
        RunJob.self, IngestJob.self, TransformJob.self, TrainJob.self, PredictJob.self, VerifyJob.self,
        CompactPredictionsJob.self,
    ]

    /// The job of its case as a ``JobDefinition``, whatever its kind.
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

    private struct Member: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Reads a job as it stands in the queue.
    /// - Throws: `job.kind` for a kind, `job.definition` for anything else that this program does not understand.
    package init(stored text: String) throws {
        do { self = try JSON.decode(Job.self, from: text) } catch let error as MartletError { throw error } catch {
            throw Self.unreadable("\(error)")
        }
    }

    private static func unreadable(_ reason: String) -> MartletError {
        MartletError(
            .input, "job.definition", "This program does not understand the job: \(reason)",
            remedy: "Let a worker of the program that queued it do it, or submit it again.")
    }

    static func refusal(_ sentence: String) -> MartletError { MartletError(.usage, "job.arguments", sentence) }

    /// - Throws: `job.kind` for a kind that this program does not know, `job.definition` for a member; `DecodingError` for
    ///   what is no job.
    package init(from decoder: any Decoder) throws {
        let kind = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .kind)
        guard let definition = Self.kinds.first(where: { $0.kind == kind }) else {
            throw MartletError(
                .input, "job.kind", "This program does not know jobs of the kind \(kind).",
                remedy: "It knows \(Self.kinds.map { $0.kind }.joined(separator: ", ")).")
        }
        let known = Set(definition.members + [CodingKeys.kind.rawValue])
        let unknown = try decoder.container(keyedBy: Member.self).allKeys.map(\.stringValue).filter {
            !known.contains($0)
        }
        guard unknown.isEmpty else {
            throw Self.unreadable("a job of the kind \(kind) has no \(unknown.sorted().joined(separator: ", ")) here.")
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
    /// - Throws: `job.arguments`.
    package init(
        _ job: Job, priority: Int = 0, maxAttempts: Int = 3, timeLimit: Double? = nil, memoryLimit: Int64? = nil,
        idempotencyKey: String? = nil
    ) throws {
        try job.definition.validate()
        self.init(
            kind: job.kind, arguments: job.definition.arguments, definition: try JSON.text(job),
            exclusive: type(of: job.definition).isExclusive, priority: priority, maxAttempts: maxAttempts,
            timeLimit: timeLimit, memoryLimit: memoryLimit, idempotencyKey: idempotencyKey)
    }
}
