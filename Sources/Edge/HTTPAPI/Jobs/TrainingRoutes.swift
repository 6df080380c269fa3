internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import NIOCore
internal import Registry
internal import Workflow

/// Routes for training jobs: submitting, following, cancelling.
///
/// ```swift
/// let routes = TrainingRoutes(management).routes
/// ```
struct TrainingRoutes: Sendable {
    let management: Management
    private let feeds = EventStreamLimiter()

    init(_ management: Management) { self.management = management }

    /// The routes with their handlers.
    var routes: [Route] {
        [
            start("/api/training/start", id: "startTraining", "Queue a run: from new files to a candidate."),
            start("/retraining", id: "retrain", "Queue a run that trains a candidate anew."),
            Route(
                .get, "/api/training/status/{job}", id: "trainingStatus", "How a job stands.",
                access: .needs(.readTraining), path: ["job": JobSchemas.id], query: [.project],
                replies: [.init(200, "The job.", .init(JobSchemas.job)), .problem(404, "No such job.")]
            ) { request, context in
                let id = try context.requiredSegment("job")
                return try .json(await management.read(request, context) { JobView(try $0.jobs.find(id)) })
            },
            Route(
                .get, "/api/training/logs/{job}", id: "trainingLogs",
                "What a job's newest attempt said: the last MiB, or a MiB from a byte on; what is left out is said.",
                access: .needs(.readTraining), path: ["job": JobSchemas.id],
                query: [
                    .project, .init("from", .integer(minimum: 0), "The first byte (what the last MiB begins with)."),
                ],
                replies: [
                    .init(200, "Its lines; none before it was begun.", .init("text/plain", .text)),
                    .problem(404, "No such job."),
                ]
            ) { request, context in
                let id = try context.requiredSegment("job")
                let project = try management.project(request, context)
                let from = request.uri.queryParameters["from"].flatMap { Int($0) }
                let page = try await management.read(request, context) { registry in
                    let job = try registry.jobs.find(id)
                    return try JobLog.page(project.log(job.id, job.token), from: from)
                }
                return .text(page.text)
            },
            Route(
                .get, "/api/training/events/{job}", id: "trainingEvents",
                "A job's states, progress and lines as server-sent events, until it has ended.",
                access: .needs(.readTraining), path: ["job": JobSchemas.id], query: [.project],
                replies: [
                    .init(
                        200, "Events `status`, `progress` and `log`; each id says where to go on (Last-Event-ID).",
                        .init("text/event-stream", .text)), .problem(404, "No such job."),
                ], handler: follow),
        ]
    }

    /// The job that a body asks for; others cannot be asked for over HTTP.
    private static func job(_ body: RequestBody) -> Job {
        let seed = body.optionalInteger("split_seed")
        return switch body.optionalText("kind") {
        case TrainJob.kind: .train(TrainJob(splitSeed: seed))
        case IngestJob.kind: .ingest(IngestJob())
        case TransformJob.kind: .transform(TransformJob())
        default: .run(RunJob(splitSeed: seed))
        }
    }

    private func start(_ path: String, id: String, _ summary: String) -> Route {
        Route(
            .post, path, id: id, summary, access: .needs(.startTraining), query: [.project], isOnce: true,
            accepts: [.init(JobSchemas.order, example: #"{"kind": "train", "split_seed": 7}"#)],
            replies: [.init(202, "Queued; a worker does it.", .init(JobSchemas.job))]
        ) { request, context in
            let body = try await context.object(request, JobSchemas.order)
            let order = try JobOrder(Self.job(body), priority: body.optionalInteger("priority") ?? 0)
            return try await management.change(request, body, context, status: .accepted) { _, registry in
                try JSON.text(JobView(registry.jobs.submit(order).job))
            }
        }
    }

    @Sendable private func follow(_ request: Request, _ context: APIContext) async throws -> Response {
        let id = try context.requiredSegment("job")
        let project = try management.project(request, context)
        let first = try await management.read(request, context) { try $0.jobs.find(id) }
        let start = JobFeed(lastEventID: request.headers[.lastEventID])
        let identity = management.identity
        let seat = try feeds.take()
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store", .xAccelBuffering: "no"],
            body: ResponseBody { writer in
                var (job, feed) = (first, start)
                defer { withExtendedLifetime(seat) {} }
                while true {
                    let now = job
                    var isMore = true
                    while isMore {
                        let offset = feed.offset(attempt: now.token)
                        let log = try await identity.aside {
                            try JobLog.read(project.log(now.id, now.token), from: offset, isOver: now.state.isEnded)
                        }
                        try await writer.write(ByteBuffer(string: feed.next(JobView(now), log)))
                        isMore = log.isMore
                    }
                    if now.state.isEnded { break }
                    try await identity.execution.clock.sleep(seconds: 0.5)
                    // A token that was revoked meanwhile ends what it began.
                    if let principal = context.principal,
                        !identity.known.stillMay(
                            principal, .readTraining, in: project.name, session: context.session,
                            at: identity.execution.now())
                    {
                        break
                    }
                    job = try await identity.aside { try project.open().registry.jobs.find(now.id) }
                }
                try await writer.finish(nil)
            })
    }
}

extension HTTPField.Name {
    static let lastEventID = own("Last-Event-ID")
    static let xAccelBuffering = own("X-Accel-Buffering")
}
