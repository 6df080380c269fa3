import Composition
import Core
import Dispatch
import Foundation
import Synchronization
import Testing

/// The clock that programs run on. How long something takes is not looked at, only what must hold however long it takes.
@Suite struct `The system's clock` {
    private let clock = SystemClock()

    @Test func `only goes forward, and tells the wall-clock time of the system`() {
        let before = Date()
        let (first, now, second) = (clock.uptime(), clock.now(), clock.uptime())
        let after = Date()
        #expect(first > 0 && second >= first)
        let told = Double(now.microseconds) / 1e6
        #expect(told >= before.timeIntervalSince1970 - 0.001 && told <= after.timeIntervalSince1970 + 0.001)
    }

    @Test func `sleeps no less than it was asked to, and not at all once it is cancelled`() async throws {
        let start = clock.uptime()
        try await clock.sleep(seconds: 0.01)
        #expect(clock.uptime() - start >= 0.01)
        let hour = Task { try await clock.sleep(seconds: 3600) }
        hour.cancel()
        await #expect(throws: CancellationError.self) { try await hour.value }
        try await clock.sleep(seconds: 0)
        try await clock.sleep(seconds: -1)
    }

    @Test func `holds a thread until it is signalled, or the time is over`() {
        let semaphore = DispatchSemaphore(value: 0)
        semaphore.signal()
        #expect(clock.wait(for: semaphore, seconds: 3600))
        #expect(!clock.wait(for: semaphore, seconds: 0))
        #expect(!clock.wait(for: semaphore, seconds: -1))
        let start = clock.uptime()
        clock.block(seconds: 0.01)
        clock.block(seconds: -1)
        #expect(clock.uptime() - start >= 0.01)
    }

    @Test func `holds a thread until a file can be read, or its other end is closed`() {
        let pipe = Pipe()
        let (reading, writing) = (pipe.fileHandleForReading, pipe.fileHandleForWriting)
        #expect(!clock.wait(for: reading.fileDescriptor, toWrite: false, seconds: 0))
        #expect(clock.wait(for: writing.fileDescriptor, toWrite: true, seconds: 3600))
        writing.write(Data([1]))
        #expect(clock.wait(for: reading.fileDescriptor, toWrite: false, seconds: 3600))
        _ = reading.readData(ofLength: 1)
        #expect(!clock.wait(for: reading.fileDescriptor, toWrite: false, seconds: 0))
        try? writing.close()
        #expect(clock.wait(for: reading.fileDescriptor, toWrite: false, seconds: 3600))
    }

    @Test func `makes ids that sort by their time and never twice the same, and bytes that differ`() {
        let context = SystemPlatform.context()
        let ids = (0..<1000).map { _ in context.newID() }
        #expect(Set(ids).count == 1000)
        #expect(ids.allSatisfy { $0.utf8.count == 32 && $0.allSatisfy { $0.isHexDigit && !$0.isUppercase } })
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0.prefix(12) <= $1.prefix(12) })
        #expect(context.randomBytes(32).count == 32 && context.randomBytes(32) != context.randomBytes(32))
    }
}

/// Work that yields to others, and what a child finds in its environment.
@Suite struct `The system's processes` {
    @Test func `work aside gives its result, and its error`() throws {
        struct Trouble: Error {}
        #expect(try SystemPlatform.yielding { 7 } == 7)
        #expect(throws: Trouble.self) { try SystemPlatform.yielding { () throws -> Int in throw Trouble() } }
    }

    @Test func `a child has no other home than it is told, and what it is given wins`() {
        let child = SystemPlatform.environmentOfChild(["MARTLET_HOME": "/elsewhere", "MARTLET_X": "1"])
        #expect(!child.contains { $0.0 == "MARTLET_HOME" })
        #expect(
            child.contains { $0 == ("MARTLET_X", "1") } && child.contains { $0 == ("SWIFT_BACKTRACE", "enable=no") })
        #expect(child.map(\.0) == child.map(\.0).sorted())
    }
}
