internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import NIOCore
internal import NIOPosix
internal import Serving
internal import Synchronization

/// Routes for batch prediction: CSV, JSON Lines or Parquet in, one answer a row out, both streamed.
///
/// ```swift
/// let routes = BatchRoutes(catalog: catalog, settings: BatchSettings(scratch: scratch), context: context).routes
/// ```
struct BatchRoutes: Sendable {
    let catalog: ModelCatalog
    let settings: BatchSettings
    let execution: ExecutionContext
    private let threads: WorkThreads
    /// Threads that may wait for conversions: one that writes and two that read for each batch.
    private let waiting: NIOThreadPool
    /// Batches of each client.
    private let shares = ClientConcurrencyLimit()
    private let places: BatchPlaces
    private let conversions: FairQueue

    init(catalog: ModelCatalog, settings: BatchSettings, context execution: ExecutionContext) {
        self.catalog = catalog
        var settings = settings
        settings.share()
        self.settings = settings
        self.execution = execution
        places = BatchPlaces(settings.atOnce)
        conversions = FairQueue(settings.conversions, clock: execution.clock)
        // The blocks of a batch that are under way are bounded by the batch itself.
        threads = WorkThreads(settings.threads, waitingEach: .max, yield: settings.yield)
        waiting = NIOThreadPool(numberOfThreads: 3 * settings.atOnce)
        waiting.start()
    }

    /// The routes with their handlers.
    var routes: [Route] {
        let paths = ["", "/api", "/projects/{project}", "/projects/{project}/models/{model}"]
        let bodies = BatchMedia.allCases.map {
            Route.Body($0.mediaType, $0 == .parquet ? .text(format: "binary") : .text)
        }
        return paths.enumerated().map { index, path in
            Route(
                .post, path + "/predict/batch", id: index == 0 ? "predictBatch" : "predictBatch\(index)",
                "Score the rows of a file.", access: .needs(.predict),
                query: [
                    .init(
                        "keep", .text(pattern: "^[^,]+(,[^,]+)*$", maxLength: 4_000),
                        "Columns of the input to pass through, with commas between them."),
                    .init(
                        "on_error", .text(oneOf: BatchFaultPolicy.allCases.map(\.rawValue)),
                        "What becomes of rows that cannot be scored: an error in their place (report, the usual), "
                            + "nothing (skip), or no answer at all (reject)."),
                ],
                accepts: bodies,
                replies: [
                    Route.Reply(200, "A line for each row, in order; its columns: docs/serving.md.", bodies),
                    .problem(406, "Not in this form."),
                    .problem(413, "More rows than a batch may have, or than its bytes may stand for."),
                ]
            ) { request, context in
                let slot = try catalog.slot(
                    project: context.segment("project") ?? context.principal?.project, model: context.segment("model"))
                try context.require(project: slot.key.project)
                return try await answer(slot, request, context)
            }
        }
    }

    private func answer(_ slot: ModelSlot, _ request: Request, _ context: APIContext) async throws -> Response {
        let plan = try BatchPlan(request)
        // A file is scored by one version, whomever its rows are about.
        let route = try ScoringCall(form: .native, slot: slot).deployment().route(nil)
        let model = route.answering.model
        let client = context.client
        let key = try IdempotencyKeyHeader.of(request)
        let bounds = BatchBounds(settings, client: client, clock: execution.clock)
        try bounds.check(rows: 0, of: model)
        guard let seat = shares.take(client, upTo: settings.atOnceEach) else { throw Problem.share }
        guard let place = try await takePlace() else {
            var problem = Problem(
                .serviceUnavailable, "serving.busy", "\(settings.atOnce) batches are at work, which is as many as may.",
                remedy: "Send it again when one of them has ended.")
            problem.retryAfter = 5
            throw problem
        }
        let run = BatchRun(
            slot, route, plan, requestID: context.requestID, idempotencyKey: key, client: client, bounds, settings,
            execution, threads, waiting, conversions)
        let work = Task {
            await run.run(request, at: place)
            // What is left, converting and sending, is not this work.
            place.end()
            withExtendedLifetime(seat) {}
        }
        do {
            // A converter is not kept waiting for the client's upload, and nobody reads Parquet before its end anyway.
            if plan.onError == .reject || plan.output == .parquet {
                try await run.spool.complete()
            } else {
                try await run.spool.begun()
            }
            if plan.output == .parquet { try await run.convert() }
        } catch {
            work.cancel()
            await work.value
            throw error
        }
        var headers: HTTPFields = [.contentType: plan.output.mediaType, .trailer: "Martlet-Rows, Martlet-Failed-Rows"]
        headers[.own("Martlet-Model")] = "\(model.key)@\(model.version)"
        return Response(status: .ok, headers: headers, body: sent(run, work))
    }

    /// Waits a moment: most batches are small.
    private func takePlace() async throws -> BatchPlaces.Place? {
        let begun = execution.uptime()
        while true {
            if let place = places.take(at: execution.uptime()) { return place }
            if execution.uptime() - begun >= settings.placeSeconds { return nil }
            try await execution.clock.sleep(seconds: 0.02)
        }
    }

    private func sent(_ run: BatchRun, _ work: Task<Void, Never>) -> ResponseBody {
        ResponseBody { [settings] writer in
            do {
                while let piece = try await run.answer.next() { try await writer.write(ByteBuffer(bytes: piece)) }
            } catch {
                // The connection closes without the end of the body, so that a client sees that it is not whole. The
                // body is not read by two at once: whoever reads it has ended before this returns.
                let failure = run.failure
                work.cancel()
                run.parquet?.kill()
                await work.value
                // A client that went away is no news, unless its batch had failed before.
                let isGone = error is CancellationError || error is ChannelError
                if let cause = isGone ? failure : error { settings.cutOff(run.requestID, Problem(cause).detail) }
                if run.plan.output == .jsonLines, !(error is CancellationError) {
                    let problem = JSONValue.object(["error": Problem(error).json(requestID: run.requestID)])
                    let line = ((try? JSON.encode(problem)) ?? []) + [10]
                    try? await writer.write(ByteBuffer(bytes: line))
                }
                throw error
            }
            let summary = run.summary
            try await writer.finish([
                .own("Martlet-Rows"): "\(summary.rows)", .own("Martlet-Failed-Rows"): "\(summary.failed)",
            ])
        }
    }
}
