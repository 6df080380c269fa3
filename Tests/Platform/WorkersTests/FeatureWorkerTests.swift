import Core
import Foundation
import TestSupport
import Testing
import Workers

/// The supervision of a feature worker, with shells in its place.
@Suite(.serialized) struct FeatureWorkerTests {
    private final class Place: Sendable {
        let folder = FileManager.default.temporaryDirectory.path + "/martlet-feature-\(UUID().uuidString)"
        let clock = VirtualClock()
        init() throws {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for name in ["gate", "held"] where mkfifo("\(folder)/\(name)", 0o600) != 0 { throw CancellationError() }
        }
        deinit { try? FileManager.default.removeItem(atPath: folder) }
    }

    private func worker(
        _ place: Place, _ script: String, _ change: (inout FeatureWorker.Settings) -> Void = { _ in }
    ) -> FeatureWorker {
        var settings = FeatureWorker.Settings(
            program: "/bin/sh", arguments: ["-c", script],
            environment: [("PATH", "/usr/bin:/bin"), ("PLACE", place.folder)], log: place.folder + "/log")
        change(&settings)
        return FeatureWorker(settings, context: place.clock.context())
    }

    /// Waits for what processes do, while the clock goes on, or stands.
    private func eventually(
        _ what: Comment, moving clock: VirtualClock? = nil, by seconds: Double = 0.05, _ condition: () -> Bool
    ) async throws {
        let did = try await TestSupport.eventually(moving: clock, by: seconds, condition)
        #expect(did, what)
    }

    private func ask(_ worker: FeatureWorker, _ text: String) async throws -> String {
        String(decoding: try await worker.ask(Array(text.utf8)), as: UTF8.self)
    }

    /// Lets the child go on that reads from a pipe of this name.
    private func release(_ place: Place, _ pipe: String) throws {
        try FileHandle(forWritingTo: URL(fileURLWithPath: "\(place.folder)/\(pipe)")).write(
            contentsOf: Data("go\n".utf8))
    }

    private static let echo = """
        echo '{"ready":true}'
        while read -r line; do
          case "$line" in
            *die*) kill -9 $$ ;;
            *hang*) kill -STOP $$ ;;
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
        try await eventually("ready again", moving: place.clock) { worker.condition == .ready }
        #expect(try await ask(worker, "three") == "three")
        #expect(worker.starts == 2)
    }

    @Test func aSilentOneIsKilled() async throws {
        let place = try Place()
        let worker = worker(place, Self.echo)
        defer { worker.stop() }
        try await eventually("ready") { worker.condition == .ready }
        let process = try #require(worker.process)
        let hanging = Task { try await self.ask(worker, "hang") }
        try await eventually("killed", moving: place.clock, by: 10) { worker.condition != .ready }
        await #expect(throws: FeatureWorker.Unavailable.self) { try await hanging.value }
        try await eventually("gone") { kill(process, 0) != 0 }
        try await eventually("ready again", moving: place.clock) { worker.condition == .ready }
    }

    @Test func itsDeathIsNoticedWithoutARequest() async throws {
        let place = try Place()
        let worker = worker(place, Self.echo)
        defer { worker.stop() }
        try await eventually("ready") { worker.condition == .ready }
        kill(try #require(worker.process), SIGKILL)
        try await eventually("another", moving: place.clock) { worker.starts == 2 && worker.condition == .ready }
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
            if [ -e "$PLACE/new" ]; then read -r go < "$PLACE/gate"; name=second; else name=first; fi
            echo '{"ready":true}'
            while read -r line; do
              if [ $name = first ] && [ -e "$PLACE/new" ]; then echo '{"by":"first","stale":true}'
              else echo "{\\"by\\":\\"$name\\"}"; fi
            done
            """
        let worker = worker(place, script)
        defer { worker.stop() }
        try await eventually("ready") { worker.condition == .ready }
        #expect(try await ask(worker, "{}").contains("first"))
        try Data().write(to: URL(fileURLWithPath: place.folder + "/new"))
        for _ in 0..<3 { #expect(try await ask(worker, "{}").contains("first")) }
        try await eventually("a successor") { worker.starts == 2 }
        #expect(try await ask(worker, "{}").contains("first"), "until the other one is ready")
        try release(place, "gate")
        var answer = ""
        for _ in 0..<10_000 where !answer.contains("second") {
            place.clock.advance(seconds: 0.05)
            answer = try await ask(worker, "{}")
        }
        #expect(answer.contains("second") && worker.starts == 2)
    }

    @Test func tooManyAtOnceAreRefused() async throws {
        let place = try Place()
        let slow = """
            echo '{"ready":true}'
            read -r line; read -r go < "$PLACE/held"; echo "$line"
            while read -r line; do echo "$line"; done
            """
        let worker = worker(place, slow) { $0.queue = 2 }
        defer { worker.stop() }
        try await eventually("ready") { worker.condition == .ready }
        let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<8 {
                group.addTask { (try? await worker.ask(Array("\(number)".utf8))) == Array("\(number)".utf8) }
            }
            // Those that are refused come first: no answer leaves before this.
            var outcomes = [try await group.next() ?? true]
            try release(place, "held")
            for try await outcome in group { outcomes.append(outcome) }
            return outcomes
        }
        #expect(outcomes.first == false && outcomes.contains(true))
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
