import Core
import PredictionLog
import Registry
import Testing
import Workflow

/// Jobs as values.
@Suite struct `Jobs as they are handed over` {
    static let all: [Job] = [
        .run(RunJob()), .run(RunJob(from: .transform, to: .train, splitSeed: 7, threads: JobThreads(engine: 2))),
        .ingest(IngestJob()), .ingest(IngestJob(files: ["/a b/c.csv", "--odd"], source: "visits", again: false)),
        .ingest(IngestJob(again: true)), .transform(TransformJob(threads: JobThreads(training: 3))),
        .train(TrainJob(splitSeed: 0)),
        .predict(PredictJob(file: "/in.csv", model: "delay@3", source: "visits", output: "/out.parquet")),
        .verify(VerifyJob(model: "delay@3")),
        .compactPredictions(
            CompactPredictionsJob(keepDays: 7.5, keepBytes: "10GiB", keepShare: 0.5, keepSegments: true)),
        .compactPredictions(CompactPredictionsJob()),
    ]

    @Test(arguments: all)
    func `are the same after JSON`(_ job: Job) throws {
        let order = try JobOrder(job)
        #expect(try JSON.decode(Job.self, from: #require(order.definition)) == job)
        #expect(order.kind == job.kind)
    }

    @Test func `have a kind each, and every kind is among these`() {
        #expect(Set(Self.all.map(\.kind)) == Set(Job.kinds.map { $0.kind }))
        #expect(Set(Job.kinds.map { $0.kind }).count == Job.kinds.count)
    }

    @Test(arguments: [
        (#"{"kind":"run"}"#, Job.run(RunJob())), (#"{"kind":"train","split_seed":7}"#, .train(TrainJob(splitSeed: 7))),
        (#"{"kind":"ingest","files":["/a"]}"#, .ingest(IngestJob(files: ["/a"]))),
        (#"{"kind":"transform","threads":{"engine":4}}"#, .transform(TransformJob(threads: JobThreads(engine: 4)))),
        (#"{"kind":"verify","model":"m"}"#, .verify(VerifyJob(model: "m"))),
        (#"{"kind":"compact-predictions"}"#, .compactPredictions(CompactPredictionsJob())),
    ])
    func `do what they did when members are missing`(text: String, job: Job) throws {
        let read = try JSON.decode(Job.self, from: text)
        #expect(read.definition.arguments == job.definition.arguments && read.kind == job.kind)
    }

    @Test func `of a kind that this program does not know are refused by name`() {
        let error = #expect(throws: MartletError.self) { _ = try JSON.decode(Job.self, from: #"{"kind":"fly"}"#) }
        #expect(error?.code == "job.kind" && error?.message.contains("fly") == true)
    }

    @Test(arguments: [
        #"{"kind":"ingest","dry_run":true}"#, #"{"kind":"verify"}"#, #"{"kind":"run","from":"nowhere"}"#, "[]",
        "no JSON",
    ])
    func `that a newer program queued, or that are damaged, are refused and not done by half`(text: String) {
        let error = #expect(throws: MartletError.self) { _ = try Job(stored: text) }
        #expect(error?.code == "job.definition" && error?.kind == .input && error?.remedy != nil)
    }

    @Test(arguments: [
        Job.run(RunJob(from: .train, to: .ingest)), .run(RunJob(threads: JobThreads(engine: 0))),
        .ingest(IngestJob(files: ["/a"], again: true)), .predict(PredictJob(file: "a", output: "b.txt")),
        .predict(PredictJob(file: "a", output: nil)), .train(TrainJob(threads: JobThreads(training: 1025))),
        .compactPredictions(CompactPredictionsJob(keepDays: 0)),
        .compactPredictions(CompactPredictionsJob(keepDays: .nan)),
        .compactPredictions(CompactPredictionsJob(keepShare: 1.5)),
    ])
    func `with values that no command takes are neither queued nor done`(_ job: Job) {
        #expect((#expect(throws: MartletError.self) { _ = try JobOrder(job) })?.code == "job.arguments")
        let ending = JobHandler(environment: Bare(report: .init())).run(job)
        #expect(ending.outcome == .failed && ending.errorCode == "job.arguments" && !ending.mayRetry)
    }

    /// An environment in which only compaction is possible.
    private struct Bare: JobEnvironment {
        var report: PredictionCompaction.Report
        var failure: MartletError?

        func configured(splitSeed: Int?, threads: JobThreads) -> Bare { self }
        func withWorkspace<T>(_ body: (Workspace) throws -> T) throws -> T {
            throw MartletError(.conflict, "project.busy", "Another martlet is at work.")
        }
        func withReadingWorkspace<T>(_ body: (Workspace) throws -> T) throws -> T {
            throw MartletError(.missing, "project.not-run", "Nothing has been run.")
        }
        func compactPredictions(
            keepSegments: Bool, retention: PredictionLogPolicy?
        ) throws -> PredictionCompaction.Report {
            if let failure { throw failure }
            var report = report
            report.segments = keepSegments ? 1 : 0
            report.bytes = retention?.keepBytes ?? 0
            return report
        }
    }

    @Test func `give their result as JSON, and their notes to whoever listens`() throws {
        var report = PredictionCompaction.Report()
        report.rows = 12
        report.tornFiles = ["/log/1.torn"]
        var notes: [String] = []
        let handler = JobHandler(environment: Bare(report: report), note: { notes.append($0) })
        let ending = handler.run(
            .compactPredictions(CompactPredictionsJob(keepBytes: "1KiB", keepSegments: true)))
        #expect(ending.outcome == .finished && ending.exitCode == 0)
        let result = try JSON.decode(JSONValue.self, from: #require(ending.result))
        #expect(result["rows"]?.integer == 12 && result["segments"]?.integer == 1 && result["bytes"]?.integer == 1024)
        #expect(notes.count == 1 && notes.first?.contains("/log/1.torn") == true)
    }

    @Test(arguments: [
        (Job.run(RunJob()), "project.busy", true), (.ingest(IngestJob()), "project.busy", true),
        (.verify(VerifyJob(model: "m@1")), "project.not-run", false),
        (.predict(PredictJob(file: "a", output: "b.csv")), "project.not-run", false),
        (.compactPredictions(CompactPredictionsJob()), "disk.failed", true),
        (.compactPredictions(CompactPredictionsJob(keepBytes: "many")), "job.arguments", false),
    ])
    func `that fail say why, and whether another attempt may help`(job: Job, code: String, mayRetry: Bool) {
        let failure = MartletError(.machine, "disk.failed", "planted")
        let ending = JobHandler(environment: Bare(report: .init(), failure: failure)).run(job)
        #expect(ending.outcome == .failed && ending.errorCode == code && ending.mayRetry == mayRetry)
        #expect(ending.result == nil)
    }
}
