import Core
import Foundation
import Testing
import Workers

/// The supervision of a feature worker, with shells in its place.
@Suite(.serialized) struct FeatureWorkerTests {
    private final class Place: Sendable {
        let folder = FileManager.default.temporaryDirectory.path + "/martlet-feature-\(UUID().uuidString)"
        init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// Uptime as it is: what is waited for are processes.
    private func context() -> ExecutionContext {
        ExecutionContext(
            actor: "ada", now: { Timestamp(microseconds: 0) }, newID: { "0" },
            uptime: { ProcessInfo.processInfo.systemUptime })
    }

    private func worker(
        _ place: Place, _ script: String, _ change: (inout FeatureWorker.Settings) -> Void = { _ in }
    ) -> FeatureWorker {
        var settings = FeatureWorker.Settings(
            program: "/bin/sh", arguments: ["-c", script],
            environment: [("PATH", "/usr/bin:/bin"), ("PLACE", place.folder)], log: place.folder + "/log")
        change(&settings)
        return FeatureWorker(settings, context: context())
    }

    private func eventually(_ what: String, _ condition: () -> Bool) async throws {
        for _ in 0..<600 {
            if condition() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("never: \(what)")
    }

    private func ask(_ worker: FeatureWorker, _ text: String) async throws -> String {
        String(decoding: try await worker.ask(Array(text.utf8)), as: UTF8.self)
    }

    private static let echo = """
        echo '{"ready":true}'
        while read -r line; do
          case "$line" in
            *die*) kill -9 $$ ;;
            *hang*) sleep 60 ;;
            *) echo "$line" ;;
          esac
        done
        """

    #if os(Linux)
        @Test func nothingThatIsOpenHereIsOpenInTheChild() async throws {
            let place = try Place()
            // As a library opens it: without a mark that it is not for children.
            let file = open(place.folder + "/secret", O_RDWR | O_CREAT, 0o600)
            let high = fcntl(file, F_DUPFD, 200)
            defer { for each in [file, high] { close(each) } }
            #expect(file >= 0 && high >= 200)
            let worker = worker(
                place,
                """
                echo '{"ready":true}'
                while read -r number; do [ -e /proc/$$/fd/$number ] && echo open || echo closed; done
                """)
            defer { worker.stop() }
            try await eventually("ready") { worker.condition == .ready }
            #expect(try await ask(worker, "0") == "open")
            #expect(try await ask(worker, "\(high)") == "closed")
        }
    #endif

    @Test func answersAndIsStartedAnewWhenItDies() async throws {
        let place = try Place()
        let worker = worker(place, Self.echo)
        defer { worker.stop() }
        try await eventually("ready") { worker.condition == .ready }
        #expect(try await ask(worker, "one") == "one")
        await #expect(throws: FeatureWorker.Unavailable.self) { try await self.ask(worker, "die") }
        if case .down = worker.condition {} else { Issue.record("it is \(worker.condition)") }
        await #expect(throws: FeatureWorker.Unavailable.self) { try await self.ask(worker, "two") }
        try await eventually("ready again") { worker.condition == .ready }
        #expect(try await ask(worker, "three") == "three")
        #expect(worker.starts == 2)
    }

    @Test func aSilentOneIsKilled() async throws {
        let place = try Place()
        let worker = worker(place, Self.echo) { $0.patience = 0.5 }
        defer { worker.stop() }
        try await eventually("ready") { worker.condition == .ready }
        let process = try #require(worker.process)
        await #expect(throws: FeatureWorker.Unavailable.self) { try await self.ask(worker, "hang") }
        try await eventually("gone") { kill(process, 0) != 0 }
        try await eventually("ready again") { worker.condition == .ready }
    }

    @Test func itsDeathIsNoticedWithoutARequest() async throws {
        let place = try Place()
        let worker = worker(place, Self.echo) { $0.pulse = 0.1 }
        defer { worker.stop() }
        try await eventually("ready") { worker.condition == .ready }
        kill(try #require(worker.process), SIGKILL)
        try await eventually("another") { worker.starts == 2 && worker.condition == .ready }
    }

    @Test func oneThatWillNotBeginSaysWhy() async throws {
        let place = try Place()
        let worker = worker(place, #"echo '{"ready":false,"error":{"message":"It knows the future."}}'"#)
        defer { worker.stop() }
        try await eventually("down") { worker.condition == .down("It knows the future.") }
        await #expect(throws: FeatureWorker.Unavailable(reason: "It knows the future.", retryAfter: 1)) {
            try await self.ask(worker, "one")
        }
    }

    @Test func aNewLakeIsReadByASuccessorWhileTheOldOneAnswers() async throws {
        let place = try Place()
        let script = """
            if [ -e "$PLACE/new" ]; then sleep 1; name=second; else name=first; fi
            echo '{"ready":true}'
            while read -r line; do
              if [ $name = first ] && [ -e "$PLACE/new" ]; then echo '{"by":"first","stale":true}'
              else echo "{\\"by\\":\\"$name\\"}"; fi
            done
            """
        let worker = worker(place, script) { $0.pulse = 0.1 }
        defer { worker.stop() }
        try await eventually("ready") { worker.condition == .ready }
        #expect(try await ask(worker, "{}").contains("first"))
        FileManager.default.createFile(atPath: place.folder + "/new", contents: nil)
        var answers: [String] = []
        for _ in 0..<100 where answers.last?.contains("second") != true {
            answers.append(try await ask(worker, "{}"))
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(answers.last?.contains("second") == true && worker.starts == 2)
    }

    @Test func tooManyAtOnceAreRefused() async throws {
        let place = try Place()
        let slow = "echo '{\"ready\":true}'; while read -r line; do sleep 0.2; echo \"$line\"; done"
        let worker = worker(place, slow) { $0.queue = 2 }
        defer { worker.stop() }
        try await eventually("ready") { worker.condition == .ready }
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<8 {
                group.addTask { (try? await worker.ask(Array("\(number)".utf8))) == Array("\(number)".utf8) }
            }
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(outcomes.contains(true) && outcomes.contains(false))
    }

    @Test func longLinesPassBothWays() async throws {
        let place = try Place()
        let worker = worker(place, Self.echo)
        defer { worker.stop() }
        try await eventually("ready") { worker.condition == .ready }
        let long = String(repeating: "x", count: 300_000)
        #expect(try await ask(worker, long) == long)
    }
}
