package import Core

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
    /// The definition as a case of ``Job``, the form that is stored and submitted.
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
