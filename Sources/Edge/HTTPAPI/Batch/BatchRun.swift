internal import Core
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix
internal import Serving
internal import Synchronization

/// Runs one batch: splits its input into blocks, scores them on several threads, and answers in order.
final class BatchRun: Sendable {
    /// Final report of a batch for the log.
    struct Summary: Sendable {
        var rows = 0
        /// Lines of CSV, the header's included.
        var lines = 0
        var failed = 0
        var faults: [InputFault] = []
    }

    let slot: ModelSlot
    let route: DeploymentRoute
    var model: ServedModel { route.answering.model }
    let plan: BatchPlan
    let requestID: String
    let idempotencyKey: String?
    let bounds: BatchBounds
    let settings: BatchSettings
    let execution: ExecutionContext
    let threads: WorkThreads
    /// Whose turns it takes.
    let client: String
    /// Threads that may wait for conversions.
    let waiting: NIOThreadPool
    private let conversions: FairQueue
    let spool: AnswerSpool
    private let converting = Mutex<ParquetAnswer?>(nil)
    private let state = Mutex(Summary())
    private let failed = Mutex<(any Error)?>(nil)

    init(
        _ slot: ModelSlot, _ route: DeploymentRoute, _ plan: BatchPlan, requestID: String, idempotencyKey: String?,
        client: String,
        _ bounds: BatchBounds, _ settings: BatchSettings, _ execution: ExecutionContext, _ threads: WorkThreads,
        _ waiting: NIOThreadPool, _ conversions: FairQueue
    ) {
        self.conversions = conversions
        self.client = client
        self.slot = slot
        self.route = route
        self.plan = plan
        self.requestID = requestID
        self.idempotencyKey = idempotencyKey
        self.bounds = bounds
        self.settings = settings
        self.execution = execution
        self.threads = threads
        self.waiting = waiting
        spool = Self.spool(settings, execution)
    }

    static func spool(_ settings: BatchSettings, _ execution: ExecutionContext) -> AnswerSpool {
        AnswerSpool(
            settings, name: "answer-\(execution.newID())", clock: execution.clock, threads: NIOThreadPool.singleton)
    }

    /// What turns the answer into Parquet, once that has begun.
    var parquet: ParquetAnswer? { converting.withLock { $0 } }

    /// The answer in the form that is sent.
    var answer: AnswerSpool { parquet?.spool ?? spool }

    /// Begins to turn the answer, which is complete, into Parquet.
    func convert() async throws {
        guard let converter = settings.converter else { throw Self.noConverter }
        let columns = BatchBlock.columns(model, passing: plan.passing)
        let turn = try await turn(columns: columns.count)
        let conversion = try await waiting.runIfActive { try converter.toParquet(columns: columns) }
        let answer = ParquetAnswer(conversion, Self.spool(settings, execution), threads: waiting)
        converting.withLock { $0 = answer }
        Task {
            await answer.run(spool)
            withExtendedLifetime(turn) {}
        }
    }

    /// Waits for a conversion's turn.
    /// - Parameter columns: those that are converted; many take so much memory that nothing else is converted beside.
    private func turn(columns: Int) async throws -> FairQueue.Turn {
        let weight = columns > settings.wideColumns ? settings.conversions : 1
        guard let turn = try await conversions.take(client, weight: weight, within: settings.conversionSeconds) else {
            var problem = Problem(
                .serviceUnavailable, "serving.busy", "Conversions of other files have kept this one from beginning.",
                remedy: "Send it again later, or as CSV.")
            problem.retryAfter = 30
            throw problem
        }
        return turn
    }

    private static var noConverter: Problem {
        Problem(.serviceUnavailable, "batch.converter", "This server has no program beside it that knows Parquet.")
    }

    var summary: Summary { state.withLock { $0 } }

    /// Reads the whole body and puts the whole answer into the spool.
    /// - Parameter place: given up while nothing comes of the body.
    func run(_ request: Request, at place: BatchPlaces.Place) async {
        do {
            try await work(request, at: place)
            if plan.onError == .reject, summary.failed > 0 {
                // Thrown here only where the answer waits for it.
                throw InputFaults(faults: summary.faults)
            }
            await spool.finish(.success(()))
        } catch {
            if !(error is CancellationError) { failed.withLock { $0 = error } }
            await spool.finish(.failure(error))
        }
    }

    /// Why the answer could not be completed, when that was not the client's going away.
    var failure: (any Error)? { failed.withLock { $0 } }

    /// A block being processed: scored, then, after the block before it, numbered, logged and answered.
    private struct Flight {
        let block: BatchBlock
        let task: Task<Void, any Error>
    }

    private func work(_ request: Request, at place: BatchPlaces.Place) async throws {
        var splitter = BatchSplitter(
            plan.input.form, blockBytes: settings.blockBytes, recordBytes: settings.recordBytes,
            blockRows: BatchSettings.blockRows(width: model.schema.width, passing: plan.passing.count))
        var reader: BatchReader?
        var flying: [Flight] = []
        var idle: [BatchBlock] = []
        // The last block that was handed to the log.
        let handed = Handed()
        func send(_ slice: BatchSlice) async throws {
            var start = 0
            if reader == nil {
                var first = BatchReader(plan.input.form, passing: plan.passing)
                start = try first.begin(slice, model.schema)
                reader = first
                state.withLock { [lines = first.headLines] in $0.lines = lines }
                try await spool.add(BatchBlock.head(model, passing: plan.passing, output: plan.output.form))
            }
            guard let reader else { return }
            // Enough, of all batches together, that the threads always have work: blocks are scored while others are
            // logged and answered.
            while flying.count > max(1, (2 * settings.threads + 6) / place.neighbours) {
                try await flying[0].task.value
                idle.append(flying.removeFirst().block)
            }
            let block = idle.popLast() ?? BatchBlock(route, passing: plan.passing, output: plan.output.form)
            let (from, began, before) = (start, execution.uptime(), flying.last?.task)
            let task = Task { [threads, client] in
                try await threads.run(for: client) { try block.score(slice, from: from, reader) }
                try await before?.value
                try Task.checkCancellation()
                try await self.land(block, began: began, handed)
            }
            flying.append(Flight(block: block, task: task))
        }
        do {
            try await feed(request, at: place, &splitter, needsHeader: plan.input.form == .csv, send)
            for flight in flying { try await flight.task.value }
            try await settle(handed)
        } catch {
            for flight in flying { flight.task.cancel() }
            for flight in flying { _ = await flight.task.result }
            // What is in the log is answered.
            try? await settle(handed)
            throw error
        }
    }

    /// Cuts the body into blocks.
    private func feed(
        _ request: Request, at place: BatchPlaces.Place, _ splitter: inout BatchSplitter, needsHeader: Bool,
        _ send: (BatchSlice) async throws -> Void
    ) async throws {
        var blocks = 0
        func cut(_ bytes: UnsafeRawBufferPointer) throws { try splitter.append(bytes) }
        func sendAll() async throws {
            while let block = splitter.next() {
                try await send(block)
                blocks += 1
            }
        }
        var reader = try BodyReader(request)
        reader.cutOff = "batch.cut-off"
        func next() async throws -> ByteBuffer? {
            let before = reader.received
            place.rest(at: execution.uptime())
            let piece = try await reader.next()
            try await place.resume(execution.clock)
            bounds.received(reader.received - before)
            return piece
        }
        if plan.input == .parquet {
            guard let converter = settings.converter else { throw Self.noConverter }
            let upload = try await ParquetUpload(
                in: settings.scratch, name: "upload-\(execution.newID())", room: SpoolBudget.Share(settings.room),
                threads: waiting, next: next)
            // Those who wait for a turn keep no place from batches that need none.
            place.rest(at: execution.uptime())
            let turn = try await turn(columns: model.schema.width)
            defer { withExtendedLifetime(turn) {} }
            place.resume(at: execution.uptime())
            let most = bounds.mostRows(of: model)
            try await upload.read(converter, mostRows: most) { piece in
                try piece.withUnsafeBytes { try cut($0) }
                try await sendAll()
            }
        } else {
            while let piece = try await next() {
                try piece.withUnsafeReadableBytes { try cut($0) }
                try await sendAll()
            }
        }
        while true {
            let rest = try splitter.rest()
            if rest.bytes.isEmpty, blocks > 0 || !needsHeader { return }
            try await send(rest)
            blocks += 1
            if rest.bytes.isEmpty { return }
        }
    }

    /// The answer to the block that is being logged; it is sent when the log has the block.
    private final class Handed: Sendable {
        let value = Mutex<(receipt: LogReceipt?, answer: [UInt8])?>(nil)
    }

    /// The block has been scored, and the one before has landed: it is numbered and handed to the log. Its answer leaves
    /// when the log has it, which is looked after when the next block is ready: meanwhile that is scored.
    private func land(_ block: BatchBlock, began: Double, _ handed: Handed) async throws {
        let before = summary
        let isRejecting = plan.onError == .reject
        let skipping = plan.onError == .skip
        // One block of a batch is with the log at a time, so that batches leave room for others.
        try await settle(handed)
        // Of a batch that is refused there is nothing more to answer or to log.
        let isRefused = isRejecting && before.failed + block.failedRows > 0
        try bounds.check(rows: before.rows + block.rows, of: model)
        let start = execution.uptime()
        let logged = LoggedRequest(
            slot: slot, requestID: requestID, idempotencyKey: idempotencyKey, arrived: began, execution: execution)
        @Sendable func log() -> LogReceipt? {
            isRefused ? nil : logged.log(block.session, numberedFrom: block.firstRow)
        }
        var (answer, receipt) = try await threads.run(for: client, urgent: true) {
            (block.answer(from: before.rows + 1, line: before.lines + 1, skipping: skipping), log())
        }
        while receipt?.isBusy == true, execution.uptime() - start < settings.logSeconds {
            try await execution.clock.sleep(seconds: 0.005)
            receipt = try await threads.run(for: client, urgent: true) { log() }
        }
        if receipt?.isTaken == true { bounds.logged(block.session.loggedBytes) }
        state.withLock { state in
            state.rows += block.rows
            state.lines += block.lines
            state.failed += block.failedRows
            if isRejecting { state.faults += block.faults(most: 20 - state.faults.count) }
        }
        if isRefused { answer = [] }
        handed.value.withLock { [answer, receipt] in $0 = (receipt, answer) }
    }

    /// Lets the answer leave that waits for the log.
    private func settle(_ handed: Handed) async throws {
        let waiting = handed.value.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        guard let waiting else { return }
        try await waiting.receipt?.settled()
        try await spool.add(waiting.answer)
    }
}
