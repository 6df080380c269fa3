internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix
internal import PredictionLog
internal import Serving
internal import Synchronization
internal import Vocabulary

/// One batch at work: blocks of its input are cut, scored on several threads, and answered in order.
final class BatchRun: Sendable {
    /// What is told of a batch at its end.
    struct Summary: Sendable {
        var rows = 0
        var failed = 0
        var faults: [InputFault] = []
    }

    let model: ServedModel
    let plan: BatchPlan
    let requestID: String
    let idempotencyKey: String?
    let settings: BatchSettings
    let surroundings: Surroundings
    let threads: NIOThreadPool
    let spool: AnswerSpool
    private let state = Mutex(Summary())

    init(
        _ model: ServedModel, _ plan: BatchPlan, requestID: String, idempotencyKey: String?, _ settings: BatchSettings,
        _ surroundings: Surroundings, _ threads: NIOThreadPool
    ) {
        self.model = model
        self.plan = plan
        self.requestID = requestID
        self.idempotencyKey = idempotencyKey
        self.settings = settings
        self.surroundings = surroundings
        self.threads = threads
        spool = AnswerSpool(
            waitingBytes: settings.waitingBytes, folder: settings.scratch, name: "answer-\(surroundings.newID())",
            threads: NIOThreadPool.singleton)
    }

    var summary: Summary { state.withLock { $0 } }

    /// Reads the whole body and puts the whole answer into the spool.
    func run(_ request: Request) async {
        do {
            try await work(request)
            if plan.onError == .reject, summary.failed > 0 {
                // Thrown here only where the answer waits for it.
                throw InputFaults(faults: summary.faults)
            }
            await spool.finish(.success(()))
        } catch { await spool.finish(.failure(error)) }
    }

    /// A block that is being scored.
    private struct Flight {
        let block: BatchBlock
        let task: Task<Void, any Error>
        /// Seconds of the clock that only goes forward.
        let began: Double
    }

    private func work(_ request: Request) async throws {
        var splitter = BatchSplitter(
            plan.input, blockBytes: settings.blockBytes, recordBytes: settings.recordBytes)
        var reader: BatchReader?
        var flying: [Flight] = []
        var idle: [BatchBlock] = []
        var taken = 0
        defer { for flight in flying { flight.task.cancel() } }
        func send(_ bytes: [UInt8]) async throws {
            var start = 0
            if reader == nil {
                var first = BatchReader(plan.input, passing: plan.passing)
                start = try bytes.withUnsafeBytes { try first.begin($0, model.schema) }
                reader = first
                try await spool.add(BatchBlock.head(model, passing: plan.passing, output: plan.output))
            }
            guard let reader else { return }
            // Enough that the threads have work while one block is logged and answered.
            while flying.count > 2 * settings.threads + 6 { idle.append(try await land(flying.removeFirst())) }
            let block = idle.popLast() ?? BatchBlock(model, passing: plan.passing, output: plan.output)
            let (from, threads) = (start, threads)
            let task = Task {
                try await threads.runIfActive {
                    try bytes.withUnsafeBytes {
                        try block.score(UnsafeRawBufferPointer(rebasing: $0[from...]), reader)
                    }
                }
            }
            flying.append(Flight(block: block, task: task, began: surroundings.uptime()))
        }
        var pieces = request.body.makeAsyncIterator()
        func next() async throws -> ByteBuffer? {
            do { return try await pieces.next() } catch {
                throw Problem(.badRequest, "batch.cut-off", "The body broke off after \(taken) bytes.")
            }
        }
        while let piece = try await next() {
            taken += piece.readableBytes
            try piece.withUnsafeReadableBytes { try splitter.append($0) }
            while let block = splitter.next() { try await send(block) }
        }
        try Task.checkCancellation()
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), taken < length {
            throw Problem(.badRequest, "batch.cut-off", "The body ended after \(taken) of \(length) bytes.")
        }
        let rest = try splitter.rest()
        if !rest.isEmpty || (reader == nil && plan.input == .csv) { try await send(rest) }
        while !flying.isEmpty { _ = try await land(flying.removeFirst()) }
    }

    /// The block has been scored: it is numbered, logged and answered.
    private func land(_ flight: Flight) async throws -> BatchBlock {
        try await flight.task.value
        let block = flight.block
        let first = state.withLock { $0.rows } + 1
        let isRejecting = plan.onError == .reject
        let skipping = plan.onError == .skip
        let answer = try await threads.runIfActive { block.answer(from: first, skipping: skipping) }
        state.withLock { state in
            state.rows += block.rows
            state.failed += block.failedRows
            if isRejecting { state.faults += block.faults(most: 20 - state.faults.count) }
        }
        // Of a batch that is refused there is nothing more to answer or to log.
        if isRejecting, summary.failed > 0 { return block }
        try await log(block, began: flight.began)
        try await spool.add(answer)
        return block
    }

    /// Logs the block's rows. One block of a batch is with the log at a time, so that batches leave room for others.
    private func log(_ block: BatchBlock, began: Double) async throws {
        let start = surroundings.uptime()
        while true {
            let known = ScoringDesk.Circumstances(
                requestID: requestID, idempotencyKey: idempotencyKey, time: surroundings.now(),
                latency: Int64((surroundings.uptime() - began) * 1e9))
            let waiter = LogWaiter()
            let admission = try await threads.runIfActive { block.log(known) { waiter.acknowledge($0) } }
            if admission == .refused(.busy), surroundings.uptime() - start < settings.logSeconds {
                try await settings.pause(0.005)
                continue
            }
            return try await waiter.wait(admission)
        }
    }
}
