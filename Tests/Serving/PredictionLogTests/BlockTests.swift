import Core
import Foundation
import PredictionLog
import Synchronization
import TestSupport
import Testing

@Suite struct `Records handed over together` {
    private func row(_ row: Int?, _ number: PredictionSourceNumber) -> PredictionRecord {
        var one = record("a-request-of-many-rows", number)
        one.row = row
        return one
    }

    @Test func `have the request's id with their row, and grow out of the room that was foreseen`() async throws {
        let scratch = try Scratch()
        let log = try PredictionLog.open(folder: scratch.log, context: context)
        let number = try log.register(source)
        let rows: [Int?] = [nil, 0, 1, 9, 10, 11, 99, 100, 12_345, 999_999_999, .max] + (20..<420).map { $0 }
        // More than the room for one record, at every alignment of the texts.
        let features = (0..<100).map { Double($0) + 0.5 }
        var block = PredictionBlock(log, records: 1)
        for row in rows { features.withUnsafeBufferPointer { block.add(self.row(row, number), features: $0) } }
        let told = Tally()
        #expect(log.submit(block) { _ in told.add() } == .waiting)
        try await log.shutDown()
        let found = try everything(scratch.log)
        #expect(
            found.map(\.requestID)
                == rows.map { row in "a-request-of-many-rows" + (row.map { ".\($0)" } ?? "") })
        #expect(found.allSatisfy { $0.features == features && $0.entityID == "entity-a-request-of-many-rows" })
        #expect(told.count == 1 && log.counters.appended == rows.count)
    }

    @Test func `are taken whole or not at all`() async throws {
        let scratch = try Scratch()
        var policy = PredictionLogPolicy()
        policy.bufferBytes = 4096
        policy.blockBytes = 4096
        let log = try PredictionLog.open(folder: scratch.log, policy: policy, context: context)
        let number = try log.register(source)
        func submit(_ count: Int, of number: PredictionSourceNumber) -> PredictionLog.Admission {
            var block = PredictionBlock(log, records: count)
            for row in 0..<count {
                let record = self.row(row, number)
                record.features.withUnsafeBufferPointer { block.add(record, features: $0) }
            }
            return log.submit(block) { _ in }
        }
        #expect(submit(100, of: number) == .refused(.tooLarge))
        #expect(log.counters.refused == 100 && log.counters.appended == 0)
        let elsewhere = try Scratch()
        let other = try PredictionLog.open(folder: elsewhere.log, policy: policy, context: context)
        _ = try other.register(source)
        let stranger = try other.register(
            PredictionSource(project: "lab", model: "delay", version: 4, signature: Digest(of: "other"), columns: []))
        try await other.shutDown()
        #expect(submit(3, of: stranger) == .refused(.unknownSource))
        #expect(submit(0, of: number) == .sampledOut)
        #expect(submit(20, of: number) == .waiting)
        try await log.shutDown()
        #expect(try everything(scratch.log).map(\.requestID) == (0..<20).map { "a-request-of-many-rows.\($0)" })
    }

    @Test func `may be more than a buffer, beside which they wait, as far as their own bound goes`() async throws {
        let scratch = try Scratch()
        var policy = PredictionLogPolicy()
        policy.bufferBytes = 4096
        policy.blockBytes = 1 << 20
        let log = try PredictionLog.open(folder: scratch.log, policy: policy, context: context)
        let number = try log.register(source)
        func submit(_ count: Int, from first: Int) async -> PredictionLog.Admission {
            while true {
                var block = PredictionBlock(log, records: count)
                for row in first..<(first + count) {
                    let record = self.row(row, number)
                    record.features.withUnsafeBufferPointer { block.add(record, features: $0) }
                }
                let admission = log.submit(block) { _ in }
                if admission != .refused(.busy) { return admission }
                await Task.yield()
            }
        }
        #expect(await submit(3000, from: 0) == .waiting)
        #expect(await submit(10, from: 3000) == .waiting)
        #expect(await submit(5000, from: 3010) == .waiting)
        #expect(await submit(20_000, from: 0) == .refused(.tooLarge))
        try await log.shutDown()
        let found = try everything(scratch.log).map(\.requestID)
        #expect(found.count == 8010)
        #expect(Set(found) == Set((0..<8010).map { "a-request-of-many-rows.\($0)" }))
        #expect(log.counters.appended == 8010 && log.counters.waitingBytes == 0)
    }

    @Test func `wait for one another when they are more than a buffer, and are refused when that takes too long`()
        async throws
    {
        let scratch = try Scratch()
        var policy = PredictionLogPolicy()
        policy.bufferBytes = 4096
        policy.blockBytes = 1 << 20
        let clock = VirtualClock()
        let log = try PredictionLog.open(folder: scratch.log, policy: policy, context: clock.context())
        let number = try log.register(source)
        func block(_ rows: Range<Int>) -> PredictionBlock {
            var block = PredictionBlock(log, records: rows.count)
            for row in rows {
                let record = self.row(row, number)
                record.features.withUnsafeBufferPointer { block.add(record, features: $0) }
            }
            return block
        }
        let first = block(0..<1000)
        // This thread is held by the second block, beside the log's keeper.
        Thread.detachNewThread { [seconds = policy.blockSeconds] in
            _ = eventually { clock.waiting == 2 }
            clock.advance(seconds: seconds)
        }
        #expect(log.submit(block(1000..<2000)) { _ in } == .refused(.busy))
        // On an event loop nothing waits.
        var atOnce = PredictionBlock(log, records: 1000, mayWait: false)
        for row in 0..<1000 {
            let record = self.row(row, number)
            record.features.withUnsafeBufferPointer { atOnce.add(record, features: $0) }
        }
        let needsWait = atOnce.needsWait
        #expect(needsWait)
        // What fits into a buffer does not wait.
        #expect(log.submit(block(1000..<1005)) { _ in } == .waiting)
        #expect(log.submit(first) { _ in } == .waiting)
        // Its memory is free soon after it was written.
        var admission = PredictionLog.Admission.refused(.busy)
        while admission == .refused(.busy) { admission = log.submit(block(2000..<3000)) { _ in } }
        #expect(admission == .waiting)
        try await log.shutDown()
        let rows = Array(1000..<1005) + Array(0..<1000) + Array(2000..<3000)
        #expect(try everything(scratch.log).map(\.requestID) == rows.map { "a-request-of-many-rows.\($0)" })
        #expect(log.counters.appended == 2005)
    }

    @Test func `are sampled by the ids that are logged`() async throws {
        let scratch = try Scratch()
        var policy = PredictionLogPolicy()
        policy.share = 0.3
        let log = try PredictionLog.open(folder: scratch.log, policy: policy, context: context)
        let number = try log.register(source)
        var block = PredictionBlock(log, records: 1000)
        for row in 0..<1000 {
            let record = self.row(row, number)
            record.features.withUnsafeBufferPointer { block.add(record, features: $0) }
        }
        #expect(log.submit(block) { _ in } == .waiting)
        try await log.shutDown()
        let wanted = (0..<1000).map { "a-request-of-many-rows.\($0)" }.filter {
            portableUniform(seed: 0, key: $0) < 0.3
        }
        #expect(try everything(scratch.log).map(\.requestID) == wanted)
        #expect(log.counters.sampledOut == 1000 - wanted.count)
    }

    @Test func `lie in segments that are the account's alone`() async throws {
        let scratch = try Scratch()
        let log = try PredictionLog.open(folder: scratch.log, context: context)
        try await log.append(record("one", try log.register(source)))
        try await log.shutDown()
        for path in try scratch.segments {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect((attributes[.posixPermissions] as? Int).map { $0 & 0o077 } == 0, "\(path)")
        }
        #expect(try !scratch.segments.isEmpty)
    }
}
