import ArgumentParser
import Core
import Foundation
import HTTPAPI
import Logging
import NIOPosix
import PredictionLog
import ProjectTestKit
import Projects
import Registry
import ServerTestKit
import Serving
import ServingComposition
import Storage
import Synchronization
import TestSupport
import Testing

/// What looks after a server beside its champions, moved on by hand.
@Suite struct `What a server looks after` {
    // MARK: The certificate

    /// Files that are renewed, or cannot be used, as a test says.
    private final class Files: Sendable {
        enum State { case same, renewed, broken }

        private let state = Mutex(State.same)
        let looks = Atomic<Int>(0)

        func set(_ new: State) { state.withLock { $0 = new } }

        @Sendable func reload() throws -> Bool {
            looks.add(1, ordering: .relaxed)
            return try state.withLock { state in
                switch state {
                case .same: return false
                case .renewed:
                    state = .same
                    return true
                case .broken: throw MartletError(.input, "tls.key", "This file holds no private key in PEM form.")
                }
            }
        }
    }

    @Test func `a renewed certificate is taken up within five seconds, and a broken one is told once`() async throws {
        let (clock, log, files) = (VirtualClock(), RecordedLog(), Files())
        let watch = CertificateWatch(
            reload: files.reload, threads: .singleton, clock: clock, logger: log.logger)
        let task = Task { try await watch.run() }
        /// Until it has looked once more, and waits again.
        func look() async {
            await clock.untilWaiting(1)
            clock.advance(seconds: 5)
            await clock.untilWaiting(1)
        }
        await look()
        #expect(files.looks.load(ordering: .relaxed) == 1 && log.entries.isEmpty)
        files.set(.renewed)
        clock.advance(seconds: 4.9)
        #expect(log.entries.isEmpty)
        await look()
        #expect(log.messages(.notice) == ["certificate renewed"])
        files.set(.broken)
        for _ in 0..<3 { await look() }
        #expect(log.messages(.error).count == 1 && log.messages(.error).first?.contains("tls.key") == true)
        files.set(.same)
        await look()
        files.set(.broken)
        await look()
        #expect(log.messages(.error).count == 2, "after it was whole it is told again")
        task.cancel()
        try await task.value
    }

    /// PEM texts of a new certificate and its key.
    private static func pair(in folder: TemporaryFolder) throws -> (certificate: [UInt8], key: [UInt8]) {
        let (certificate, key) = ("\(folder.path)/new.pem", "\(folder.path)/new.key")
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "90", "-subj", "/CN=localhost", "-out", certificate, "-keyout", key,
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        try #require(openssl.terminationStatus == 0)
        return (try Disk.read(certificate), try Disk.read(key))
    }

    @Test func `in a year of renewals the pair in use is a whole one, each time the newest`() async throws {
        let (clock, log, folder) = (VirtualClock(), RecordedLog(), try TemporaryFolder())
        var pair = try Self.pair(in: folder)
        let (certificate, key) = (
            try folder.write("used.pem", pair.certificate), try folder.write("used.key", pair.key)
        )
        let files = try CertificateFiles(certificate: certificate, key: key)
        let watch = CertificateWatch(reload: files.reload, threads: .singleton, clock: clock, logger: log.logger)
        let task = Task { try await watch.run() }
        var renewals = 0
        for day in 1...365 {
            let old = pair
            switch day % 60 {
            case 0:  // Half of a renewal: for a day the key is another certificate's.
                pair = try Self.pair(in: folder)
                try folder.write("used.pem", pair.certificate)
            case 1 where day > 1:
                try folder.write("used.key", pair.key)
                renewals += 1
            case 30: try folder.remove(key)
            case 31: try folder.write("used.key", pair.key)
            default: break
            }
            await clock.untilWaiting(1)
            clock.advance(seconds: 86_400)
            await clock.untilWaiting(1)
            #expect(log.messages(.notice).count == renewals, "day \(day)")
            guard day % 60 == 0 || day % 60 == 30 else { continue }
            // What is in use is what would bring no change.
            try folder.write("used.pem", old.certificate)
            try folder.write("used.key", old.key)
            #expect(try !files.reload(), "day \(day)")
            if day % 60 == 0 { try folder.write("used.pem", pair.certificate) } else { try folder.remove(key) }
        }
        #expect(renewals == 6 && log.messages(.error).count == 12)
        #expect(try !files.reload(), "the last one is in use")
        task.cancel()
        try await task.value
    }

    // MARK: The prediction log

    /// Lets one prediction be logged, and its segment end.
    private func predict(_ wards: ServedWards) async throws {
        let log = try #require(wards.served.log)
        let source = try log.register(
            PredictionSource(
                project: "wards", model: "stay", version: 1, signature: Digest(of: "1"), columns: [.init(name: "x")]))
        try await log.append(
            PredictionRecord(
                requestID: "r1", entityID: nil, source: source, time: wards.clock.time, features: [1],
                outcome: .binary(probability: 0.5, positive: false), latency: 1))
        wards.clock.advance(seconds: 301)
        #expect(
            try await eventually(moving: wards.clock, by: 5) { try !log.folder.closed().isEmpty }, "its segment ends")
    }

    /// A watch of one project's log, in a server that is as large as a test says.
    private func watch(
        _ wards: ServedWards, _ arguments: String..., hasWorkers: Bool = true, memory: Int? = nil
    ) throws -> LogWatch {
        LogWatch(
            [wards.served], options: try LogOptions.parse(arguments), hasWorkers: hasWorkers, memory: { memory },
            context: wards.clock.context(), logger: wards.log.logger)
    }

    @Test func `closed segments are moved once they are old enough, by one job at a time`() async throws {
        let wards = try ServedWards(versions: 1, log: .written)
        let watch = try watch(wards, "--compact-minutes", "90")
        let jobs = try wards.place.registry(wards.clock, project: "wards").jobs
        watch.look(compacting: true)
        #expect(try jobs.openCount() == 0, "there is nothing to move")
        try await predict(wards)
        watch.look(compacting: true)
        #expect(try jobs.openCount() == 0, "it is young")
        wards.clock.advance(seconds: 95 * 60)
        watch.look(compacting: false)
        #expect(try jobs.openCount() == 0)
        watch.look(compacting: true)
        #expect(try jobs.openCount() == 1)
        wards.clock.advance(seconds: 3600)
        watch.look(compacting: true)
        #expect(try jobs.openCount() == 1, "the first one is still to do")
        try await wards.served.log?.shutDown()
    }

    @Test func `a server that is large itself has them moved after twice the time`() async throws {
        let wards = try ServedWards(versions: 1, log: .written)
        let jobs = try wards.place.registry(wards.clock, project: "wards").jobs
        let watch = try watch(wards, "--compact-minutes", "60", memory: 1 << 30)
        try await predict(wards)
        wards.clock.advance(seconds: 65 * 60)
        watch.look(compacting: true)
        #expect(try jobs.openCount() == 0)
        wards.clock.advance(seconds: 60 * 60)
        watch.look(compacting: true)
        #expect(try jobs.openCount() == 1)
        try await wards.served.log?.shutDown()
    }

    @Test(arguments: [(true, "0"), (false, "1")])
    func `nothing is moved where nobody would do it, or nobody wants it`(hasWorkers: Bool, minutes: String) async throws
    {
        let wards = try ServedWards(versions: 1, log: .written)
        let watch = try watch(wards, "--compact-minutes", minutes, hasWorkers: hasWorkers)
        try await predict(wards)
        wards.clock.advance(seconds: 86_400)
        watch.look(compacting: true)
        #expect(try wards.place.registry(wards.clock, project: "wards").jobs.openCount() == 0)
        try await wards.served.log?.shutDown()
    }

    @Test(.enabled(if: TestDatabase.isSQLite, "another program's database cannot be taken away"))
    func `a compaction that cannot be asked for is told once, and asked for again after a minute`() async throws {
        let wards = try ServedWards(versions: 1, log: .written)
        let watch = try watch(wards, "--compact-minutes", "1")
        try await predict(wards)
        let bytes = try Disk.read(wards.place.home.database)
        try wards.place.loseMetadata()
        wards.clock.advance(seconds: 3600)
        wards.log.take()
        for _ in 0..<3 {
            watch.look(compacting: true)
            wards.clock.advance(seconds: 61)
        }
        #expect(wards.log.messages(.error) == ["prediction log is not compacted"], "\(wards.log.entries)")
        #expect(!Disk.exists(wards.place.home.database), "asking makes none")
        try Disk.replaceDurably(wards.place.home.database, bytes)
        watch.look(compacting: true)
        #expect(try wards.place.registry(wards.clock, project: "wards").jobs.openCount() == 1)
        try await wards.served.log?.shutDown()
    }

    @Test func `what retention removed is told with its amount`() async throws {
        var policy = PredictionLogPolicy()
        policy.keepSeconds = 86_400
        let wards = try ServedWards(versions: 1, log: .written, policy: policy)
        let watch = try watch(wards, hasWorkers: false)
        try await predict(wards)
        wards.log.take()
        watch.look(compacting: false)
        #expect(wards.log.entries.isEmpty)
        let log = try #require(wards.served.log)
        #expect(try await eventually(moving: wards.clock, by: 3600) { log.counters.expired > 0 })
        watch.look(compacting: false)
        let told = try #require(wards.log.entries.first)
        #expect(told.level == .warning && told.message == "retention removed segments of the prediction log")
        #expect(told.metadata["segments"] == "1" && told.metadata["not_in_the_lakehouse"] == "1", "\(told.metadata)")
        watch.look(compacting: false)
        #expect(wards.log.entries.count == 1)
        try await log.shutDown()
    }

    // MARK: Workers

    @Test func `a worker that does not start is tried again after one, two, four … thirty seconds`() async throws {
        let wards = try ServedWards(versions: 1)
        let isEnding = Atomic<Bool>(false)
        let watch = WorkerWatch(
            [wards.served], program: "/nowhere/martlet", slots: 1, grace: 1, clock: wards.clock,
            isEnding: { isEnding.load(ordering: .relaxed) }, logger: wards.log.logger)
        #expect(!watch.isLiving)
        watch.start()
        #expect(watch.isLiving)
        // Its thread blocks by the virtual clock, which goes on by that.
        #expect(try await eventually { wards.log.entries.count >= 7 })
        isEnding.store(true, ordering: .relaxed)
        #expect(try await eventually { !watch.isLiving })
        let pauses = wards.log.entries.prefix(7).compactMap { $0.metadata["again_after"] }
        #expect(pauses == ["1.0 s", "2.0 s", "4.0 s", "8.0 s", "16.0 s", "30.0 s", "30.0 s"])
        #expect(wards.log.entries.allSatisfy { $0.level == .error && $0.metadata["project"] == "wards" })
    }

    @Test func `a worker that lives is let go when the server ends`() async throws {
        let wards = try ServedWards(versions: 1)
        // Lives until the pipe that it reads is closed, whatever it is called with.
        let program = try wards.place.folder.write(
            program: "worker", "#!/bin/sh\necho started > \"$0.log\"\nexec cat\n")
        let isEnding = Atomic<Bool>(false)
        let watch = WorkerWatch(
            [wards.served], program: program, slots: 1, grace: 3600, clock: wards.clock,
            isEnding: { isEnding.load(ordering: .relaxed) }, logger: wards.log.logger)
        watch.start()
        #expect(try await eventually { Disk.exists(program + ".log") })
        #expect(watch.isLiving)
        isEnding.store(true, ordering: .relaxed)
        #expect(try await eventually { !watch.isLiving })
        #expect(wards.log.entries.isEmpty, "\(wards.log.entries)")
    }

    @Test func `a server without workers has none that live`() async throws {
        let watch = WorkerWatch(
            [], slots: 0, grace: 1, clock: VirtualClock(), isEnding: { true }, logger: RecordedLog().logger)
        watch.start()
        #expect(try await eventually { !watch.isLiving })
    }
}
