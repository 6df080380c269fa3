package import Core
package import PredictionLog
package import Registry

/// One kind of job: what it needs to know, and how it is done.
///
/// A new kind is a type that conforms, a case of ``Job``, and a command in `JobCommand.swift`.
package protocol JobDefinition: Codable, Sendable, Equatable {
    associatedtype Result: JobResult

    /// The word that names the kind in the queue, over HTTP and in `martlet jobs submit KIND`.
    static var kind: String { get }
    /// Whether it changes tables or models: at most one such job of a project runs at a time.
    static var isExclusive: Bool { get }
    /// The options with which `martlet jobs submit KIND` asks for the same.
    var arguments: [String] { get }
    /// The members of its JSON object.
    static var members: [String] { get }
    /// Whether the queue keeps what it gives.
    static var keepsResult: Bool { get }
    var job: Job { get }

    /// - Throws: `job.arguments` for values that are out of range or exclude each other.
    func validate() throws

    /// Does the work; returns when it is done.
    func perform(in environment: some JobEnvironment, observer: JobObserver) throws -> Result
}

extension JobDefinition {
    package static var isExclusive: Bool { true }
    package static var keepsResult: Bool { true }
    package func validate() throws {}
}

/// What a job gives: as JSON, what the queue keeps and a command prints with `--json`.
package protocol JobResult: Encodable {
    /// What people should know, for standard error, a line each.
    var notes: [String] { get }
    /// Why the work, though it was done, is not what was asked for: a gate failed, a file was refused.
    var refusal: MartletError? { get }
}

extension JobResult {
    package var notes: [String] { [] }
    package var refusal: MartletError? { nil }
}

/// What a job works on: a project, opened as the job needs it. The product's is `Composition`.
package protocol JobEnvironment {
    /// The same project with a job's own wishes in place of the configured ones.
    func configured(splitSeed: Int?, threads: JobThreads) -> Self
    /// A workspace that may write; one at a time in a project.
    func withWorkspace<T>(_ body: (Workspace) throws -> T) throws -> T
    /// A workspace for looking: takes no lock and changes nothing that others see.
    func withReadingWorkspace<T>(_ body: (Workspace) throws -> T) throws -> T
    /// Moves closed segments of the prediction log into the lake; see ``PredictionCompaction``.
    func compactPredictions(
        keeping: Bool, retention: PredictionLogPolicy?
    ) throws -> PredictionCompaction.Report
}

/// How many threads a job may use; `nil` for what is configured. Results do not depend on it.
package struct JobThreads: Codable, Sendable, Equatable {
    /// Of the SQL engine.
    package var engine: Int?
    /// Of the learner.
    package var training: Int?

    package init(engine: Int? = nil, training: Int? = nil) {
        self.engine = engine
        self.training = training
    }

    func validate() throws {
        for value in [engine, training].compactMap(\.self) where !(1...1024).contains(value) {
            throw Job.refusal("Threads must be from 1 to 1024; \(value) is not.")
        }
    }

    var arguments: [String] {
        (engine.map { ["--engine-threads", "\($0)"] } ?? [])
            + (training.map { ["--training-threads", "\($0)"] } ?? [])
    }
}

/// Follows a job while it is done.
package struct JobObserver {
    /// Called when a step begins. An error that it throws ends the job there.
    package var began: (JobProgress) throws -> Void
    /// Called when a step of the journal has ended.
    package var ended: (Journal.Entry) -> Void

    package init(
        began: @escaping (JobProgress) throws -> Void = { _ in }, ended: @escaping (Journal.Entry) -> Void = { _ in }
    ) {
        self.began = began
        self.ended = ended
    }
}
