internal import Core

// What a job's changes of state look like as events; docs/events.md describes each.

extension EventDraft {
    /// A change of a job's state; `number` counts the job's events from 1, since a job that is retried can come to the
    /// same state again.
    static func told(_ transition: JobTransition, of job: JobRecord, number: Int, at time: Timestamp) -> EventDraft {
        var data: [String: JSONValue?] = [
            "job": .text(job.id), "kind": .text(job.kind), "arguments": .list(job.arguments.map { .text($0) }),
            "actor": .text(job.actor), "attempt": .integer(Int64(job.token)),
        ]
        let type: EventType
        switch transition {
        case .submitted:
            type = .jobSubmitted
            data["priority"] = .integer(Int64(job.priority))
        case .started:
            type = .jobStarted
            data["owner"] = job.owner.map { .text($0) }
        case .requeued:
            type = .jobRequeued
            data["not_before"] = .text(job.notBefore.description)
        case .retried: type = .jobRetried
        case .finished: type = .jobFinished
        case .failed: type = .jobFailed
        case .cancelled:
            type = .jobCancelled
            data["cancelled_by"] = job.cancelledBy.map { .text($0) }
        }
        data["reason"] = job.reason.map { .text($0) }
        data["error_code"] = job.errorCode.map { .text($0) }
        data["exit_code"] = job.exitCode.map { .integer(Int64($0)) }
        data["signal"] = job.signal.map { .text($0) }
        if job.state.isEnded, job.token > 0, let started = job.started {
            data["seconds"] = .number(time.seconds(since: started))
        }
        return EventDraft(type, id: "job/\(job.id)/\(number)", subject: "jobs/\(job.id)", time: time, data: data)
    }
}
