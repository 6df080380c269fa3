package import Core
internal import Dispatch
internal import Foundation
internal import Storage
internal import Synchronization

/// Client of a feature worker child process: starts it, sends requests, and restarts it when it fails.
///
/// ```swift
/// let worker = FeatureWorker(settings, context: context)
/// let answer = try await worker.ask(request)
/// worker.stop()
/// ```
///
/// The child is restarted when it dies, stops answering, or its data are out of date. Every caller gets an answer or an
/// error.
package final class FeatureWorker: Sendable {
    /// How the child is started and how long it is waited for.
    package struct Settings: Sendable {
        /// Path of the program to start.
        package var program: String
        /// Arguments of the program, without its name.
        package var arguments: [String]
        /// Names and values of all environment variables of the child; it inherits none.
        package var environment: [(String, String)]
        /// File for the child's stderr.
        package var log: String
        /// Seconds to wait for an answer; a child that takes longer is killed.
        package var answerTimeout = 30.0
        /// Seconds to wait for the start, in which the lake is read and the features are verified.
        package var startTimeout = 600.0
        /// Largest number of waiting requests; more are refused at once.
        package var queue = 64
        /// Seconds between health checks of an idle child.
        package var pingInterval = 2.0

        package init(program: String, arguments: [String], environment: [(String, String)], log: String) {
            self.program = program
            self.arguments = arguments
            self.environment = environment
            self.log = log
        }
    }

    /// Thrown when there is no answer: the reason, and the seconds after which to try again.
    package struct Unavailable: Error, Sendable, Equatable, CustomStringConvertible {
        /// Why there is no answer, in a sentence for the client.
        package var reason: String
        package var description: String { reason }
        /// Seconds after which to try again, at least 1.
        package var retryAfter: Int
        /// Kind of the error with which a worker refused to start.
        package var kind: String?
        /// Code of the error with which a worker refused to start.
        package var code: String?
        /// Whether the worker died of this request, and may have stored its rows before.
        package var wasLost = false

        package init(reason: String, retryAfter: Int) {
            self.reason = reason
            self.retryAfter = retryAfter
        }
    }

    /// State of the worker: starting, ready, down, or stopped.
    package enum Condition: Sendable, Equatable {
        case starting
        case ready
        /// It died, or will not begin, for this reason; it is tried again.
        case down(String)
        case stopped
    }

    private struct Waiting {
        var request: [UInt8]
        var answer: CheckedContinuation<[UInt8], any Error>
    }

    private struct State {
        var condition = Condition.starting
        var retryAfter = 5
        /// Kind and code of the last refusal to begin.
        var refusal: (kind: String?, code: String?)?
        var waiting: [Waiting] = []
        var process: Int32?
        var starts = 0
        var greeting: [UInt8]?
    }

    private let settings: Settings
    private let clock: any ExecutionClock
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    /// Starts the child on a thread of its own, and keeps it running until ``stop()``.
    package init(_ settings: Settings, context: ExecutionContext) {
        self.settings = settings
        clock = context.clock
        let thread = Thread { [self] in WorkerRun(self).work() }
        thread.name = "feature worker"
        thread.start()
    }

    /// The present state.
    package var condition: Condition { state.withLock { $0.condition } }
    /// Process id of the child while it is ready.
    package var process: Int32? { state.withLock { $0.process } }
    /// Number of times that a child was started.
    package var starts: Int { state.withLock { $0.starts } }
    /// The message that the ready child sent at its start.
    package var greeting: [UInt8]? { state.withLock { $0.greeting } }

    /// Sends a request, a JSON object on one line, and returns the answer.
    /// - Throws: ``Unavailable`` when there is no worker, when too many wait, or when the worker died of the request.
    package func ask(_ request: [UInt8]) async throws -> [UInt8] {
        try await withCheckedThrowingContinuation { continuation in
            let refusal: Unavailable? = state.withLock { state in
                switch state.condition {
                case .ready where state.waiting.count < settings.queue:
                    state.waiting.append(Waiting(request: request, answer: continuation))
                    return nil
                case .ready: return Unavailable(reason: "Too many raw records are waiting.", retryAfter: 1)
                case .starting:
                    return Unavailable(reason: "The feature worker is starting.", retryAfter: state.retryAfter)
                case .down(let reason):
                    var refusal = Unavailable(reason: reason, retryAfter: state.retryAfter)
                    refusal.kind = state.refusal?.kind
                    refusal.code = state.refusal?.code
                    return refusal
                case .stopped: return Unavailable(reason: "The server is stopping.", retryAfter: 5)
                }
            }
            if let refusal { continuation.resume(throwing: refusal) } else { wake.signal() }
        }
    }

    /// Ends the child after the waiting requests.
    package func stop() {
        state.withLock { $0.condition = .stopped }
        wake.signal()
    }

    /// State of the worker's thread: the child, its successor, and when to try again.
    private final class WorkerRun {
        private let owner: FeatureWorker
        private var settings: Settings { owner.settings }
        private var child: MessageProcess?
        /// Reads the lake as it stands now, to take over when it is ready.
        private var successor: (process: MessageProcess, deadline: Double)?
        /// One that could not take over is not followed by another at once.
        private var successorNotBefore = 0.0
        private var failures = 0
        private var lastPing = 0.0

        init(_ owner: FeatureWorker) { self.owner = owner }

        func work() {
            start()
            while owner.condition != .stopped {
                if child == nil {
                    pause()
                    if owner.condition != .stopped { start() }
                    continue
                }
                _ = owner.clock.wait(for: owner.wake, seconds: successor == nil ? settings.pingInterval : 0.05)
                if let next = take() { serve(next) } else { ping() }
                checkSuccessor()
            }
            while let next = take() { serve(next) }
            child?.kill()
            successor?.process.kill()
        }

        private func take() -> Waiting? {
            owner.state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
        }

        private func launch() throws -> MessageProcess {
            owner.state.withLock { $0.starts += 1 }
            return try MessageProcess(
                settings.program, settings.arguments, environment: settings.environment, errors: settings.log,
                clock: owner.clock)
        }

        private func start() {
            do {
                let child = try launch()
                guard let greeting = child.receive(within: settings.startTimeout) else {
                    return fail("The feature worker did not begin; \(settings.log) has its last words.")
                }
                if let reason = Self.refusal(greeting) {
                    let error = JSONValue(parsing: greeting)?["error"]
                    return fail(reason, (error?["kind"]?.text, error?["code"]?.text))
                }
                enter(child, greeting)
            } catch let error as MartletError { fail(error.message) } catch { fail("\(error)") }
        }

        private func enter(_ child: MessageProcess, _ greeting: [UInt8]) {
            self.child = child
            lastPing = owner.clock.uptime()
            owner.state.withLock { state in
                if state.condition != .stopped { state.condition = .ready }
                state.process = child.id
                state.greeting = greeting
            }
        }

        /// Why a worker will not begin, if its first line says so.
        private static func refusal(_ greeting: [UInt8]) -> String? {
            guard let value = try? JSON.decode(JSONValue.self, from: greeting), value["ready"]?.flag == true else {
                let error = (try? JSON.decode(JSONValue.self, from: greeting))?["error"]
                return error?["message"]?.text ?? "The feature worker did not begin."
            }
            return nil
        }

        /// After 1, 2, 4, … seconds, at most a minute, it is tried again.
        private var delay: Int { min(60, 1 << min(6, max(0, failures - 1))) }

        private func fail(_ reason: String, _ refusal: (kind: String?, code: String?)? = nil) {
            child = nil
            failures += 1
            let waiting = owner.state.withLock { state in
                if state.condition != .stopped { state.condition = .down(reason) }
                state.retryAfter = delay
                state.refusal = refusal
                state.process = nil
                defer { state.waiting = [] }
                return state.waiting
            }
            for each in waiting { each.answer.resume(throwing: Unavailable(reason: reason, retryAfter: delay)) }
        }

        private func pause() {
            let end = owner.clock.uptime() + Double(delay)
            while owner.condition != .stopped, owner.clock.uptime() < end {
                _ = owner.clock.wait(for: owner.wake, seconds: 0.2)
            }
        }

        private func serve(_ next: Waiting) {
            guard let child, child.send(next.request, within: settings.answerTimeout),
                let answer = child.receive(within: settings.answerTimeout)
            else {
                let reason = "The feature worker died or fell silent over a request; it is started anew."
                self.child?.kill()
                fail(reason)
                var loss = Unavailable(reason: reason, retryAfter: delay)
                loss.wasLost = true
                return next.answer.resume(throwing: loss)
            }
            failures = 0
            lastPing = owner.clock.uptime()
            next.answer.resume(returning: answer)
            checkStaleness(answer)
        }

        private func ping() {
            guard let child, owner.clock.uptime() - lastPing >= settings.pingInterval else { return }
            lastPing = owner.clock.uptime()
            guard child.isAlive, child.send(Array(#"{"ping":true}"#.utf8), within: settings.answerTimeout),
                let answer = child.receive(within: settings.answerTimeout)
            else {
                child.kill()
                return fail("The feature worker died; it is started anew.")
            }
            checkStaleness(answer)
        }

        /// A worker says when the lake has moved on; then another one reads it, and this one goes on until that is ready.
        private func checkStaleness(_ answer: [UInt8]) {
            let mark = Array(#""stale":true"#.utf8)
            guard successor == nil, owner.clock.uptime() >= successorNotBefore,
                answer.suffix(64).firstRange(of: mark) != nil
            else { return }
            successorNotBefore = owner.clock.uptime() + 60
            do { successor = (try launch(), owner.clock.uptime() + settings.startTimeout) } catch {
                stayStale("\(error)")
            }
        }

        /// The log is where its last words would stand; where it cannot be written the machine has no room at all.
        private func stayStale(_ reason: String) {
            let line = "The lake has moved on, and no worker that reads it anew could be started: \(reason)\n"
            try? Disk.append(settings.log, Array(line.utf8))
        }

        private func checkSuccessor() {
            guard let (process, deadline) = successor else { return }
            if let greeting = process.receive(within: 0) {
                successor = nil
                if let reason = Self.refusal(greeting) {
                    process.kill()
                    return stayStale(reason)
                }
                child?.kill()
                enter(process, greeting)
            } else if !process.isAlive || owner.clock.uptime() > deadline {
                stayStale(process.isAlive ? "it did not begin in time" : "it died")
                process.kill()
                successor = nil
            }
        }
    }
}
