internal import Core
internal import Registry

/// A job in the form of the API's JSON.
struct JobView: Sendable, Encodable {
    /// The members that change with the job's state.
    struct Status: Sendable, Encodable {
        var state: String
        var attempt: Int
        var reason: String?
        var error: String?

        enum CodingKeys: String, CodingKey {
            case state, attempt, reason
            case error = "error_code"
        }

        func encode(to encoder: any Encoder) throws {
            var box = encoder.container(keyedBy: CodingKeys.self)
            try box.encode(state, forKey: .state)
            try box.encode(attempt, forKey: .attempt)
            try box.encode(reason, forKey: .reason)
            try box.encode(error, forKey: .error)
        }
    }

    private let job: JobRecord

    init(_ job: JobRecord) { self.job = job }

    var attempt: Int { job.token }
    var progress: JobProgress? { job.progress }
    var status: Status {
        Status(state: job.state.rawValue, attempt: job.token, reason: job.reason, error: job.errorCode)
    }

    private enum CodingKeys: String, CodingKey {
        case job, kind, arguments, priority, actor, created, started, ended, seconds, progress
    }

    func encode(to encoder: any Encoder) throws {
        try status.encode(to: encoder)
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(job.id, forKey: .job)
        try box.encode(job.kind, forKey: .kind)
        try box.encode(job.arguments, forKey: .arguments)
        try box.encode(job.priority, forKey: .priority)
        try box.encode(job.actor, forKey: .actor)
        try box.encode(job.created, forKey: .created)
        try box.encode(job.started, forKey: .started)
        try box.encode(job.ended, forKey: .ended)
        try box.encode(job.seconds, forKey: .seconds)
        try box.encode(job.progress, forKey: .progress)
    }
}

enum JobSchemas {
    static let id = Schema.text(pattern: "^[0-9a-f]{6,32}$")
    private static let priority = Schema.Member(
        "priority", .integer(minimum: -1000, maximum: 1000), optional: true, "Higher ones go first (0).")
    static let order = Schema.oneOf([
        .object(
            .init(
                "kind", .text(oneOf: ["run", "train"]), optional: true,
                "run: everything; train: only what follows the tables (run)."),
            .init(
                "split_seed", .integer(minimum: 0, maximum: 2_147_483_647), optional: true,
                "In place of the one in martlet.yaml."), priority),
        .object(.init("kind", .text(oneOf: ["ingest", "transform"])), priority),
    ])

    static let job = Schema.object(
        .init("job", .text(pattern: "^[0-9a-f]{32}$")), .init("kind", .text), .init("arguments", .list(.text)),
        .init("state", .text(oneOf: ["queued", "running", "finished", "failed", "cancelled"])),
        .init("attempt", .integer(minimum: 0), "0 before it is begun."), .init("priority", .integer),
        .init("actor", .text, "Who asked for it."), .init("created", ModelSchemas.time),
        .init("started", ModelSchemas.time.orNull), .init("ended", ModelSchemas.time.orNull),
        .init("seconds", .number.orNull, "What its last attempt took, once it has ended."),
        .init(
            "progress",
            Schema.object(
                .init("step", .text), .init("done", .integer(minimum: 0), optional: true),
                .init("total", .integer(minimum: 0), optional: true),
                .init("percent", .integer(minimum: 0, maximum: 100), optional: true)
            ).orNull), .init("reason", .text.orNull), .init("error_code", .text.orNull))
}
