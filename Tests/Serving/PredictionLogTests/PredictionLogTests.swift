import CLibrary
import Core
import Foundation
import PredictionLog
import Synchronization
import TestSupport
import Testing

@Suite struct `A prediction log` {
    @Test(arguments: PredictionLogMode.allCases)
    func `gives back what was appended`(mode: PredictionLogMode) async throws {
        let scratch = try Scratch()
        let log = try PredictionLog.open(folder: scratch.log, mode: mode, context: context)
        let number = try log.register(source)
        #expect(try log.register(source) == number)
        let full = PredictionRecord(
            requestID: "a-request", idempotencyKey: "a key", entityID: "Möwe", source: number,
            time: Timestamp(microseconds: 1_700_000_000_123_456), features: [1.5, 0, -.infinity],
            outcome: .binary(probability: 0.75, positive: true), latency: 41_000, hasReasons: true,
            warnings: ["unknown category", ""])
        let bare = PredictionRecord(
            requestID: "", source: number, time: Timestamp(microseconds: -1), features: [],
            outcome: .binary(probability: .nan))
        try await log.append(full)
        try await log.append(contentsOf: [bare, full])
        try await log.shutDown()
        let found = try everything(scratch.log)
        #expect(found.count == 3)
        #expect(found[0] == LoggedPrediction(full, source: source))
        #expect(found[2] == found[0])
        #expect(found[1].requestID == "" && found[1].entityID == nil && found[1].idempotencyKey == nil)
        #expect(found[1].outcome.score.isNaN && found[1].outcome.decision == nil && found[1].features == [])
        #expect(log.counters.written == 3 && log.counters.appended == 3)
    }

    @Test func `takes records of many callers at once`() async throws {
        let scratch = try Scratch()
        let log = try PredictionLog.open(folder: scratch.log, context: context)
        let number = try log.register(source)
        await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<64 {
                group.addTask { for item in 0..<50 { try await log.append(record("\(task)-\(item)", number)) } }
            }
        }
        try await log.shutDown()
        let ids = try everything(scratch.log).map(\.requestID)
        #expect(ids.count == 3200 && Set(ids).count == 3200)
        // Of one caller they come in order.
        #expect(ids.filter { $0.hasPrefix("7-") } == (0..<50).map { "7-\($0)" })
        #expect(log.counters.writes < 3200)
    }

    @Test func `is written by one process only`() async throws {
        let scratch = try Scratch()
        // Whoever finds the log taken waits for a moment.
        let context = VirtualClock().context()
        let log = try PredictionLog.open(folder: scratch.log, context: context)
        let number = try log.register(source)
        #expect(throws: MartletError.self) {
            try PredictionLog.open(folder: scratch.log, context: context)
        }
        try await log.shutDown()
        try await PredictionLog.open(folder: scratch.log, context: context).shutDown()
        await #expect(throws: PredictionLogError.closed) { try await log.append(record("late", number)) }
    }

    @Test func `begins a new segment by size, and tells each of its sources`() async throws {
        let scratch = try Scratch()
        var policy = PredictionLogPolicy()
        policy.segmentBytes = 4096
        let log = try PredictionLog.open(folder: scratch.log, policy: policy, context: context)
        let other = PredictionSource(
            project: "lab", model: "delay", version: 4, signature: Digest(of: "other"), columns: [])
        let numbers = [try log.register(source), try log.register(other)]
        for item in 0..<200 { try await log.append(record("\(item)", numbers[item % 2])) }
        try await log.shutDown()
        #expect(try scratch.segments.count >= 4)
        let found = try everything(scratch.log)
        #expect(found.map(\.requestID) == (0..<200).map { "\($0)" })
        #expect(found.enumerated().allSatisfy { $1.source == [source, other][$0 % 2] })
        #expect(try SegmentFolder(scratch.log).closed().count == scratch.segments.count)
    }

    @Test func `begins a new segment by time, without a record coming`() async throws {
        let scratch = try Scratch()
        var policy = PredictionLogPolicy()
        policy.segmentSeconds = 60
        let clock = VirtualClock()
        let log = try PredictionLog.open(folder: scratch.log, policy: policy, context: clock.context())
        try await log.append(record("one", try log.register(source)))
        clock.advance(seconds: 59)
        #expect(try SegmentFolder(scratch.log).closed().isEmpty)
        #expect(try await eventually(moving: clock) { try SegmentFolder(scratch.log).closed().count == 1 })
        try await log.shutDown()
        #expect(try scratch.segments.count == 1, "the second one was empty")
    }

    @Test func `logs the share of the requests that the policy says`() async throws {
        let scratch = try Scratch()
        var policy = PredictionLogPolicy()
        policy.share = 0.3
        policy.keepsDecisions = true
        let log = try PredictionLog.open(folder: scratch.log, policy: policy, context: context)
        let number = try log.register(source)
        let records = (0..<5000).map { item in
            var one = record("request-\(item)", number)
            one.outcome = .binary(probability: 0.25, positive: item % 100 == 0)
            return one
        }
        for start in stride(from: 0, to: 5000, by: 500) {
            try await log.append(contentsOf: Array(records[start..<(start + 500)]))
        }
        try await log.shutDown()
        let wanted = (0..<5000).filter {
            $0 % 100 == 0 || portableUniform(seed: 0, key: "request-\($0)") < 0.3
        }
        #expect(try everything(scratch.log).map(\.requestID) == wanted.map { "request-\($0)" })
        // 50 decisions and of the others 30 %, five standard deviations.
        #expect(abs(wanted.count - 50 - 1485) < 162)
        #expect(log.counters.sampledOut == 5000 - wanted.count)
    }

    @Test func `removes what is too much or too old`() async throws {
        let scratch = try Scratch()
        var policy = PredictionLogPolicy()
        policy.segmentBytes = 2048
        policy.keepBytes = 10_000
        let clock = VirtualClock()
        let log = try PredictionLog.open(folder: scratch.log, policy: policy, context: clock.context())
        let number = try log.register(source)
        for item in 0..<300 { try await log.append(record("\(item)", number)) }
        #expect(
            try await eventually(moving: clock) { try log.counters.expired > 5 && scratch.segments.count < 8 })
        try await log.shutDown()
        #expect(try everything(scratch.log).last?.requestID == "299")

        policy.keepBytes = nil
        policy.keepSeconds = 1000
        clock.advance(seconds: 1001)
        let again = try PredictionLog.open(folder: scratch.log, policy: policy, context: clock.context())
        // The last one may have lasted as long as a segment does: it is not that old yet.
        #expect(try await eventually { try scratch.segments.count == 2 })
        clock.advance(seconds: policy.segmentSeconds)
        #expect(try await eventually(moving: clock, by: 60) { try scratch.segments.count == 1 })
        try await again.shutDown()
        #expect(again.counters.expiredUncompacted == again.counters.expired && again.counters.expiredBytes > 0)
    }

    @Test func `takes no more of the disk than its share, and forgets nothing when others fill it`() async throws {
        let scratch = try Scratch()
        let disk = TroubledDisk()
        var policy = PredictionLogPolicy()
        policy.keepShare = 0.5
        disk.trouble.withLock { $0.free = 4 << 20 }
        let clock = VirtualClock()
        let log = try PredictionLog.open(folder: scratch.log, policy: policy, disk: disk, context: clock.context())
        let number = try log.register(source)
        #expect(log.counters.mostBytes == 2 << 20)
        disk.trouble.withLock { $0.free = 0 }
        let wide = [Double](repeating: 1, count: 10_000)
        // 80 KB each: 8 MB in all.
        for item in 0..<100 { try await log.append(record("\(item)", number, features: wide)) }
        // A segment of this log has 1 MiB, so that there are some to remove.
        #expect(
            try await eventually(moving: clock) { log.counters.expired >= 5 && log.counters.keptBytes <= 2 << 20 })
        try await log.shutDown()
        let kept = try everything(scratch.log).map(\.requestID)
        #expect(kept == (100 - kept.count..<100).map { "\($0)" } && kept.count > 5)

        // At the next start others have taken the rest.
        let bytes = try SegmentFolder(scratch.log).bytes()
        let again = try PredictionLog.open(folder: scratch.log, policy: policy, disk: disk, context: context)
        try await again.shutDown()
        #expect(again.counters.mostBytes == bytes && again.counters.expired == 0)
        #expect(try everything(scratch.log).map(\.requestID) == kept)
    }

    @Test func `is not held up by a pipe or a link that is named like a segment`() async throws {
        let scratch = try Scratch()
        let log = try PredictionLog.open(folder: scratch.log, context: context)
        try await log.append(record("one", try log.register(source)))
        try await log.shutDown()
        let path = try #require(try scratch.segments.first)
        #expect(mkfifo(path.replacing("-00000001", with: "-00000000"), 0o600) == 0)
        #expect(
            mkfifo(path.replacing("-00000001", with: "-00000003").replacing(".segment", with: ".compacted"), 0o600) == 0
        )
        #expect(symlink(path, path.replacing("-00000001", with: "-00000002")) == 0)
        #expect(try SegmentFolder(scratch.log).recover() == .init())
        #expect(try SegmentFolder(scratch.log).closed().map(\.path) == [path])
        #expect(try everything(scratch.log).map(\.requestID) == ["one"])
    }

    @Test func `can be read while it is written`() async throws {
        let scratch = try Scratch()
        let log = try PredictionLog.open(folder: scratch.log, context: context)
        let number = try log.register(source)
        try await log.append(record("0", number))
        var reader = try PredictionLogReader(try #require(try scratch.segments.first))
        let writing = Task { for item in 1..<2000 { try await log.append(record("\(item)", number)) } }
        var found: [String] = []
        while found.count < 2000 {
            if let next = try reader.next() { found.append(next.requestID) } else { await Task.yield() }
        }
        try await writing.value
        #expect(found == (0..<2000).map { "\($0)" })
        #expect(try reader.tail() == .open)
        try await log.shutDown()
        #expect(try reader.next() == nil)
        #expect(try reader.tail() == .closed)
    }

    @Test func `brings acknowledgements of one courier together`() async throws {
        let scratch = try Scratch()
        let log = try PredictionLog.open(folder: scratch.log, context: context)
        let number = try log.register(source)
        let calls = Mutex((batches: 0, records: 0))
        let courier = AcknowledgementCourier { batch in
            calls.withLock { $0.batches += 1 }
            batch.complete()
        }
        for item in 0..<100 {
            let admission = log.submit(record("\(item)", number), courier: courier, waking: false) { _ in
                calls.withLock { $0.records += 1 }
            }
            #expect(admission == .waiting)
        }
        log.wakeWriter()
        try await log.shutDown()
        #expect(calls.withLock { $0.records } == 100)
        #expect(calls.withLock { $0.batches } < 20)
    }
}
