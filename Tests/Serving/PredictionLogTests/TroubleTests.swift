import Core
import PredictionLog
import Synchronization
import TestSupport
import Testing

@Suite struct `A prediction log in trouble` {
    private func open(
        _ scratch: Scratch, _ disk: TroubledDisk, _ mode: PredictionLogMode, buffer: Int = 4 << 20,
        sync seconds: Double = 0.1, clock: VirtualClock = VirtualClock()
    ) throws -> (PredictionLog, PredictionSourceNumber) {
        var policy = PredictionLogPolicy()
        policy.bufferBytes = buffer
        policy.syncSeconds = seconds
        let log = try PredictionLog.open(
            folder: scratch.log, mode: mode, policy: policy, disk: disk, context: clock.context())
        return (log, try log.register(source))
    }

    @Test(arguments: [PredictionLogMode.strict, .written])
    func `refuses what does not fit while the disk is slow`(mode: PredictionLogMode) async throws {
        let scratch = try Scratch()
        let disk = TroubledDisk()
        let (log, number) = try open(scratch, disk, mode, buffer: 1024)
        let admissions = disk.writing.withLock { _ in
            (0..<100).map { log.submit(record("\($0)", number)) { _ in } }
        }
        let waiting = admissions.count { $0 == .waiting }
        // Two buffers of 1 KiB hold a few records of about 100 bytes each.
        #expect((8...24).contains(waiting))
        #expect(admissions.count { $0 == .refused(.busy) } == 100 - waiting)
        try await log.shutDown()
        #expect(try everything(scratch.log).count == waiting)
        #expect(log.counters.refused == 100 - waiting && log.counters.dropped == 0)
    }

    @Test func `drops and counts what does not fit when nobody waits`() async throws {
        let scratch = try Scratch()
        let disk = TroubledDisk()
        let (log, number) = try open(scratch, disk, .bestEffort, buffer: 1024)
        let taken = disk.writing.withLock { _ in
            (0..<100).count { log.submit(record("\($0)", number)) { _ in } == .taken }
        }
        try await log.shutDown()
        #expect(log.counters.dropped == 100 - taken && taken < 30)
        #expect(try everything(scratch.log).count == taken)
    }

    @Test(arguments: [PredictionLogMode.strict, .bestEffort])
    func `takes or leaves the whole of a block`(mode: PredictionLogMode) async throws {
        let scratch = try Scratch()
        let disk = TroubledDisk()
        let (log, number) = try open(scratch, disk, mode, buffer: 1024)
        let blocks = 50
        let admissions = disk.writing.withLock { _ in
            (0..<blocks).map { index in
                var block = PredictionBlock(log, records: 3)
                for row in 0..<3 {
                    let record = record("\(index)-\(row)", number)
                    record.features.withUnsafeBufferPointer { block.add(record, features: $0) }
                }
                return log.submit(block) { _ in }
            }
        }
        let taken = admissions.indices.filter { admissions[$0] == (mode == .strict ? .waiting : .taken) }
        let left = admissions.count { $0 == (mode == .strict ? .refused(.busy) : .dropped) }
        #expect((2...8).contains(taken.count) && left == blocks - taken.count)
        try await log.shutDown()
        #expect(
            try everything(scratch.log).map(\.requestID) == taken.flatMap { block in (0..<3).map { "\(block)-\($0)" } })
        #expect((mode == .strict ? log.counters.refused : log.counters.dropped) == 3 * left)
    }

    @Test func `refuses a record that can never fit`() async throws {
        let scratch = try Scratch()
        let (log, number) = try open(scratch, TroubledDisk(), .strict, buffer: 1024)
        await #expect(throws: PredictionLogError.tooLarge) {
            try await log.append(record("wide", number, features: [Double](repeating: 1, count: 128)))
        }
        await #expect(throws: PredictionLogError.tooLarge) {
            try await log.append(record(String(repeating: "x", count: 70_000), number))
        }
        try await log.append(record("one", number))
        try await log.shutDown()
        #expect(try everything(scratch.log).map(\.requestID) == ["one"])
    }

    @Test func `acknowledges after the fsync when strict, before it when written`() async throws {
        for mode in [PredictionLogMode.strict, .written] {
            let scratch = try Scratch()
            let disk = TroubledDisk()
            let (log, number) = try open(scratch, disk, mode, sync: 60)
            let told = Tally()
            disk.syncing.withLock { _ in
                #expect(log.submit(record("one", number)) { _ in told.add() } == .waiting)
                #expect(eventually { (try? everything(scratch.log).count) == 1 })
                if mode == .written { #expect(eventually { told.count == 1 }) }
                #expect(told.count == (mode == .written ? 1 : 0))
            }
            try await log.shutDown()
            #expect(told.count == 1)
        }
    }

    @Test func `makes durable what was written within the time`() async throws {
        let scratch = try Scratch()
        let disk = TroubledDisk()
        let clock = VirtualClock()
        let (log, number) = try open(scratch, disk, .written, clock: clock)
        try await log.append(record("one", number))
        await clock.untilWaiting(1)
        clock.advance(seconds: 0.1)
        #expect(try await eventually { log.counters.syncs == 1 })
        #expect(disk.trouble.withLock { $0.folderSyncs } == 1)
        try await log.shutDown()
    }

    @Test func `holds acknowledgements while an fsync is late`() async throws {
        let scratch = try Scratch()
        let disk = TroubledDisk()
        let clock = VirtualClock()
        let (log, number) = try open(scratch, disk, .written, sync: 0.02, clock: clock)
        let told = Tally()
        disk.syncing.withLock { _ in
            for item in 0..<40 {
                _ = log.submit(record("\(item)", number)) { _ in told.add() }
                #expect(eventually { told.count + log.counters.held == item + 1 })
                clock.advance(seconds: 0.005)
            }
            // What was acknowledged in the first 20 ms, and no more.
            #expect(told.count == 5 && log.counters.held == 35)
        }
        #expect(try await eventually { told.count == 40 })
        try await log.shutDown()
        #expect(try everything(scratch.log).count == 40)
    }

    @Test(arguments: [PredictionLogMode.strict, .written])
    func `acknowledges nothing after a failed fsync`(mode: PredictionLogMode) async throws {
        let scratch = try Scratch()
        let disk = TroubledDisk()
        let clock = VirtualClock()
        let (log, number) = try open(scratch, disk, mode, sync: 0.02, clock: clock)
        try await log.append(record("good", number))
        disk.trouble.withLock { $0.failsSync = true }
        if mode == .strict {
            await #expect(throws: PredictionLogError.self) { try await log.append(record("lost", number)) }
        } else {
            try await log.append(record("lost", number))
            #expect(try await eventually(moving: clock) { log.counters.hasFailed })
        }
        // The disk says that all is well again. It is not believed.
        let syncs = disk.trouble.withLock { $0.syncs }
        for _ in 0..<3 {
            await #expect(throws: PredictionLogError.self) { try await log.append(record("after", number)) }
        }
        #expect(disk.trouble.withLock { $0.syncs } == syncs)
        await #expect(throws: MartletError.self) { try await log.shutDown() }
        #expect(disk.trouble.withLock { $0.syncs } == syncs)
        let (again, second) = try open(scratch, TroubledDisk(), mode, clock: clock)
        try await again.append(record("again", second))
        try await again.shutDown()
        let ids = try everything(scratch.log).map(\.requestID)
        #expect(ids.contains("good") && ids.contains("again") && !ids.contains("after"))
    }

    @Test(arguments: [PredictionLogMode.strict, .written, .bestEffort])
    func `keeps whole records on a full disk, and goes on when there is room`(mode: PredictionLogMode) async throws {
        let scratch = try Scratch()
        let disk = TroubledDisk()
        let clock = VirtualClock()
        let (log, number) = try open(scratch, disk, mode, clock: clock)
        disk.trouble.withLock { $0.room = 3000 }
        var acknowledged: [String] = []
        var refused = 0
        for item in 0..<60 {
            do {
                try await log.append(record("\(item)", number))
                acknowledged.append("\(item)")
            } catch PredictionLogError.full { refused += 1 }
        }
        if mode == .bestEffort {
            #expect(try await eventually { log.counters.isFull })
            #expect(log.counters.refused == 0)
        } else {
            #expect(acknowledged.count > 10 && refused > 20 && log.counters.isFull)
            #expect(try everything(scratch.log).map(\.requestID) == acknowledged)
        }
        disk.trouble.withLock { $0.room = .max }
        #expect(try await eventually(moving: clock) { !log.counters.isFull })
        try await log.append(record("later", number))
        try await log.shutDown()
        let found = try everything(scratch.log).map(\.requestID)
        #expect(found.last == "later")
        if mode == .bestEffort {
            #expect(found.count + log.counters.dropped == 61)
        } else {
            #expect(found == acknowledged + ["later"])
        }
        // Nothing is left for recovery to do but, where the disk was too full for it, the mark of the end.
        #expect(try SegmentFolder(scratch.log).recover().tornBytes == 0)
    }

    @Test(arguments: [PredictionLogMode.strict, .written, .bestEffort])
    func `tries a full disk when its time has come, and not before`(mode: PredictionLogMode) async throws {
        let scratch = try Scratch()
        let disk = TroubledDisk()
        let clock = VirtualClock()
        clock.advance(seconds: 1000)
        let (log, number) = try open(scratch, disk, mode, clock: clock)
        disk.trouble.withLock { $0.room = 0 }
        if mode == .bestEffort {
            _ = log.submit(record("lost", number)) { _ in }
        } else {
            await #expect(throws: PredictionLogError.full) { try await log.append(record("lost", number)) }
        }
        #expect(try await eventually { log.counters.isFull })
        func creations() -> Int { disk.trouble.withLock { $0.creations } }
        // The first one was there, and the disk is tried once.
        #expect(try await eventually { creations() == 2 })
        // What is refused does not wake anybody.
        for item in 0..<1000 { _ = log.submit(record("\(item)", number)) { _ in } }
        await clock.untilWaiting(1)
        #expect(creations() == 2, "the clock stands still")
        for tries in 3...5 {
            clock.advance(seconds: 0.25)
            #expect(try await eventually { creations() == tries })
        }
        disk.trouble.withLock { $0.room = .max }
        clock.advance(seconds: 0.25)
        #expect(try await eventually { !log.counters.isFull })
        try await log.append(record("later", number))
        try await log.shutDown()
        #expect(try everything(scratch.log).map(\.requestID) == ["later"])
        let names = try scratch.segments.map { $0.split(separator: "-").last ?? "" }
        #expect(names == ["00000002.segment"], "a try that failed takes no number")
    }

    @Test func `acknowledges nothing after a failed fsync of the folder`() async throws {
        let scratch = try Scratch()
        let disk = TroubledDisk()
        var policy = PredictionLogPolicy()
        policy.segmentBytes = 500
        let log = try PredictionLog.open(
            folder: scratch.log, mode: .strict, policy: policy, disk: disk, context: context)
        let number = try log.register(source)
        for item in 0..<3 { try await log.append(record("\(item)", number)) }
        disk.trouble.withLock { $0.failsFolderSync = true }
        var acknowledged = 0
        for item in 3..<200 {
            do {
                try await log.append(record("\(item)", number))
                acknowledged += 1
            } catch PredictionLogError.failed {}
        }
        // Those that still went into the segment whose name is durable.
        #expect(acknowledged < 5 && log.counters.hasFailed && log.counters.failure == "planted")
        let syncs = disk.trouble.withLock { $0.folderSyncs }
        disk.trouble.withLock { $0.failsFolderSync = false }
        await #expect(throws: PredictionLogError.self) { try await log.append(record("after", number)) }
        #expect(disk.trouble.withLock { $0.folderSyncs } == syncs, "it is not tried again")
        await #expect(throws: MartletError.self) { try await log.shutDown() }
    }

    @Test func `stops when writing fails for another reason`() async throws {
        let scratch = try Scratch()
        let disk = TroubledDisk()
        let (log, number) = try open(scratch, disk, .written)
        try await log.append(record("good", number))
        disk.trouble.withLock { $0.failsWrite = true }
        await #expect(throws: PredictionLogError.self) { try await log.append(record("bad", number)) }
        #expect(log.counters.hasFailed)
        await #expect(throws: MartletError.self) { try await log.shutDown() }
        #expect(try everything(scratch.log).map(\.requestID) == ["good"])
    }
}
