internal import Core
package import Registry

/// Does jobs: in a process of its own for each attempt, or in the process that asks.
///
/// ```swift
/// let handler = JobHandler(environment: composition, observer: observer)
/// let ending = handler.run(.verify(VerifyJob(model: "delay@3")))
/// try jobs.conclude(ticket, ending)
/// ```
package struct JobHandler<Environment: JobEnvironment> {
    private let environment: Environment
    private let observer: JobObserver
    private let note: (String) -> Void

    /// - Parameter note: is given what people should know, a line at a time.
    package init(
        environment: Environment, observer: JobObserver = JobObserver(), note: @escaping (String) -> Void = { _ in }
    ) {
        self.environment = environment
        self.observer = observer
        self.note = note
    }

    /// Does the work.
    /// - Returns: how it came out, with its result as JSON text; errors are in it.
    package func run(_ job: Job) -> JobEnding {
        do { return try perform(job.definition) } catch { return ending(of: error) }
    }

    private func perform<Definition: JobDefinition>(_ definition: Definition) throws -> JobEnding {
        try definition.validate()
        let result = try definition.perform(in: environment, observer: observer)
        for line in result.notes { note(line) }
        var ending = result.refusal.map { self.ending(of: $0) } ?? .finished(result: nil)
        if Definition.keepsResult { ending.result = try JSON.text(result) }
        return ending
    }

    private func ending(of error: any Error) -> JobEnding {
        note("error: \(error)")
        if let error = error as? MartletError { return .failed(error) }
        return JobEnding(.failed, reason: "\(error)", errorCode: "job.failed", exitCode: 1)
    }
}
