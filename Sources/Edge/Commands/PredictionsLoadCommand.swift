internal import ArgumentParser
internal import Composition
internal import Core
internal import Dispatch
internal import PredictionLog
internal import Synchronization

/// Hidden load test of the prediction log, for `scripts/torture` and `Benchmarks/predictionlog.py`.
///
/// Appends synthetic predictions as fast as they are acknowledged, from one thread that stands for an event loop. Its
/// options may change in any release.
struct PredictionsLoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Append synthetic predictions to a log.",
        shouldDisplay: false)

    @Option var folder: String
    @Option var mode: PredictionLogMode = .written
    @Option(help: "Ends after so many.") var records = Int.max
    @Option(help: "Ends after so many seconds.") var seconds = 1e9
    @Option(help: "So many wait for their acknowledgement at once.") var concurrency = 1
    @Option var features = 40
    @Option(help: "What the request ids begin with.") var prefix = "r"
    @Option(help: "Milliseconds by which each fsync is made longer.") var syncDelay = 0.0
    @Option var segmentBytes = 64 << 20
    @Option var bufferBytes = 4 << 20
    @Flag(help: "Print the id of each acknowledged record, and the uptime in microseconds.") var say = false
    @Flag(help: "Say so before it is true: a test of the test.") var lie = false

    func run() throws {
        let context = SystemPlatform.context()
        var policy = PredictionLogPolicy()
        policy.segmentBytes = segmentBytes
        policy.bufferBytes = bufferBytes
        let log = try PredictionLog.open(
            folder: folder, mode: mode, policy: policy, disk: SlowDisk(seconds: syncDelay / 1000, clock: context.clock),
            context: context)
        let source = try log.register(
            PredictionSource(
                project: "torture", model: "model", version: 1, signature: Digest(of: "signature"),
                columns: (0..<features).map { .init(name: "f\($0)") }))
        let loop = Loop(log: log, source: source, context: context, command: self)
        let began = context.uptime()
        let cpu = SystemPlatform.cpuSeconds()
        try loop.run()
        let appended = context.uptime() - began
        try log.close()
        try report(log, loop, appended, SystemPlatform.cpuSeconds() - cpu)
    }

    private func report(_ log: PredictionLog, _ loop: Loop, _ seconds: Double, _ cpu: Double) throws {
        let counters = log.counters
        let latencies = loop.latencies.sorted()
        func quantile(_ share: Double) -> JSONValue {
            latencies.isEmpty
                ? .null : .number(latencies[min(latencies.count - 1, Int(share * Double(latencies.count)))] * 1e6)
        }
        let recovery = counters.recovery
        Output.note(
            try JSON.text(
                JSONValue.object([
                    "acknowledged": .integer(Int64(loop.acknowledged)), "failed": .integer(Int64(loop.failed)),
                    "dropped": .integer(Int64(counters.dropped)), "seconds": .number(seconds), "cpu": .number(cpu),
                    "submit_cpu": .number(loop.submitting), "written": .integer(Int64(counters.written)),
                    "bytes": .integer(Int64(counters.bytes)), "writes": .integer(Int64(counters.writes)),
                    "syncs": .integer(Int64(counters.syncs)), "held": .integer(Int64(counters.held)),
                    "longest_sync": .number(counters.longestSyncSeconds), "p50_us": quantile(0.5),
                    "p99_us": quantile(0.99), "recovered_records": .integer(Int64(recovery.records)),
                    "torn_bytes": .integer(Int64(recovery.tornBytes)),
                    "set_aside": .list(recovery.tornFiles.map { .text($0) }),
                ])))
    }

    /// Keeps a fixed number of records waiting, as the connections of an event loop would.
    private final class Loop {
        private let log: PredictionLog
        private let source: PredictionSourceNumber
        private let context: ExecutionContext
        private let command: PredictionsLoadCommand
        private(set) var acknowledged = 0
        private(set) var failed = 0
        private(set) var latencies: [Double] = []
        /// CPU seconds of this thread in handing records over.
        private(set) var submitting = 0.0

        init(
            log: PredictionLog, source: PredictionSourceNumber, context: ExecutionContext,
            command: PredictionsLoadCommand
        ) {
            self.log = log
            self.source = source
            self.context = context
            self.command = command
        }

        func run() throws {
            // Batches of acknowledgements come to this thread as they would to an event loop.
            let inbox = Mutex<[AcknowledgedBatch]>([])
            let ready = DispatchSemaphore(value: 0)
            let courier = AcknowledgementCourier { batch in
                inbox.withLock { $0.append(batch) }
                ready.signal()
            }
            let told = Mutex<(done: [(Int, Double)], failed: Int)>(([], 0))
            let end = context.uptime() + command.seconds
            var next = 0
            var waiting = 0
            var row = (0..<command.features).map { Double($0) }
            while next < command.records || waiting > 0 {
                let now = context.uptime()
                if now >= end, waiting == 0 { break }
                let before = SystemPlatform.threadCPUSeconds()
                var lies = ""
                while waiting < command.concurrency, next < command.records, now < end {
                    let number = next
                    next += 1
                    for place in row.indices { row[place] = Double(number) + Double(place) }
                    let record = PredictionRecord(
                        requestID: "\(command.prefix)-\(number)", source: source,
                        time: Timestamp(microseconds: Int64(now * 1e6)),
                        outcome: .binary(
                            probability: Double(number % 1000) / 1000, positive: number % 10 == 0), latency: 40_000)
                    let admission = row.withUnsafeBufferPointer { features in
                        log.submit(record, features: features, courier: courier, waking: false) { result in
                            told.withLock { told in
                                if case .success = result { told.done.append((number, now)) } else { told.failed += 1 }
                            }
                        }
                    }
                    if command.lie { lies += "\(command.prefix)-\(number) \(Int(now * 1e6))\n" }
                    switch admission {
                    case .waiting: waiting += 1
                    case .taken, .sampledOut: acknowledged += 1
                    case .dropped, .refused: failed += 1
                    }
                }
                log.wakeWriter()
                submitting += SystemPlatform.threadCPUSeconds() - before
                if !lies.isEmpty, !Output.deliver(lies) { return }
                if waiting == 0 { continue }
                ready.wait()
                for batch in inbox.withLock({ list in
                    defer { list = [] }; return list
                }) { batch.complete() }
                let (done, failures) = told.withLock { told in
                    defer { told = ([], 0) }; return told
                }
                waiting -= done.count + failures
                acknowledged += done.count
                failed += failures
                let arrived = context.uptime()
                for (_, sent) in done where latencies.count < 5_000_000 { latencies.append(arrived - sent) }
                if command.say, !done.isEmpty {
                    let stamp = Int(arrived * 1e6)
                    let lines = done.map { "\(command.prefix)-\($0.0) \(stamp)\n" }.joined()
                    guard Output.deliver(lines) else { return }
                }
                // Nothing is acknowledged any more: that is for the one who reads the report.
                if failures > 0, log.counters.hasFailed { return }
            }
        }
    }
}

extension PredictionLogMode: ExpressibleByArgument {}

/// A `SegmentDisk` with a delayed fsync.
private struct SlowDisk: SegmentDisk {
    let seconds: Double
    let clock: any ExecutionClock

    func create(_ path: String) throws -> any SegmentFile {
        let file = try RealDisk().create(path)
        return seconds > 0 ? SlowFile(file: file, seconds: seconds, clock: clock) : file
    }

    func sync(folder: String) throws { try RealDisk().sync(folder: folder) }

    private final class SlowFile: SegmentFile {
        let file: any SegmentFile
        let seconds: Double
        let clock: any ExecutionClock

        init(file: any SegmentFile, seconds: Double, clock: any ExecutionClock) {
            self.file = file
            self.seconds = seconds
            self.clock = clock
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws { try file.write(bytes) }

        func sync() throws {
            clock.block(seconds: seconds)
            try file.sync()
        }

        func truncate(to size: Int) throws { try file.truncate(to: size) }
    }
}
