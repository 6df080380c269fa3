internal import Composition
internal import Core
internal import HTTPAPI
internal import Projects
internal import Serving
internal import Storage
internal import Synchronization
internal import Workers

/// The feature workers of a server: one child process for each model that received raw rows.
///
/// Each uses the SQL of the version that it makes features for. When another version becomes champion, the old pair of
/// worker and version continues until the new version's worker is ready.
final class FeatureWorkerPool: FeatureSource, Sendable {
    private struct Pair {
        let model: ServedModel
        let worker: FeatureWorker
    }

    private struct Room {
        var current: Pair
        var next: Pair?
    }

    private let projects: [String: (folder: String, home: ProjectHome)]
    private let context: ExecutionContext
    private let program: String
    private let rooms = Mutex<[ModelKey: Room]?>([:])
    /// Seconds that a request waits for a worker that starts.
    private let patience = 15.0

    init(_ served: [ServedProject], context: ExecutionContext) {
        projects = Dictionary(
            served.map { ($0.project.name, ($0.project.folder, $0.home)) }, uniquingKeysWith: { first, _ in first })
        self.context = context
        program = Disk.parent(of: SystemPlatform.executable) + "/martlet"
    }

    func ask(_ request: [UInt8], for model: ServedModel) async throws -> (model: ServedModel, answer: [UInt8]) {
        var pair = try pair(for: model)
        let end = context.uptime() + patience
        while true {
            while pair.worker.condition == .starting, context.uptime() < end {
                try await context.clock.sleep(seconds: 0.05)
            }
            do { return (pair.model, try await pair.worker.ask(request)) } catch let error as FeatureWorker.Unavailable
            {
                let now = try self.pair(for: model)
                // Another version's worker has taken the place of this one before it was asked.
                guard !error.wasLost, now.worker !== pair.worker, context.uptime() < end else {
                    throw Self.problem(error)
                }
                pair = now
            }
        }
    }

    /// Ends all workers, after the requests that wait.
    func stop() {
        let all = rooms.withLock { rooms in
            defer { rooms = nil }
            return rooms ?? [:]
        }
        for room in all.values {
            room.current.worker.stop()
            room.next?.worker.stop()
        }
    }

    /// The worker that answers now, with its version; one is started where there is none for the version that is served.
    private func pair(for model: ServedModel) throws -> Pair {
        var gone: [FeatureWorker] = []
        defer { for worker in gone { worker.stop() } }
        return try rooms.withLock { rooms in
            guard rooms != nil else { throw Problem.noFeatures("The server is stopping.", retryAfter: 5) }
            guard var room = rooms?[model.key] else {
                let pair = Pair(model: model, worker: try start(model))
                rooms?[model.key] = Room(current: pair)
                return pair
            }
            if let next = room.next {
                if next.model.version != model.version || next.worker.condition.isDown {
                    // Another version is served by now, or the one before again.
                    gone.append(next.worker)
                    room.next = nil
                } else if next.worker.condition == .ready {
                    gone.append(room.current.worker)
                    room.current = next
                    room.next = nil
                }
            }
            if room.current.model.version != model.version, room.next == nil {
                let pair = Pair(model: model, worker: try start(model))
                // One that does not answer anyway is not waited for.
                if room.current.worker.condition.isDown {
                    gone.append(room.current.worker)
                    room.current = pair
                } else {
                    room.next = pair
                }
            }
            rooms?[model.key] = room
            return room.current
        }
    }

    /// Each record's statement sets up and takes down thousands of small objects and hundreds of vectors: the allocators
    /// of the C library and of the SQL engine keep more of them at hand than they do by themselves, which takes an eighth
    /// off a record. What is set outside counts.
    private static let allocation = [
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=2000",
        "DUCKDB_JE_MALLOC_CONF": "tcache_nslots_large:1000,tcache_max:65536",
    ].filter { SystemPlatform.environment($0.key) == nil }

    private func start(_ model: ServedModel) throws -> FeatureWorker {
        guard let (folder, home) = projects[model.key.project] else {
            throw MartletError(.defect, "process.answer", "The project \(model.key.project) has no folder.")
        }
        return FeatureWorker(
            FeatureWorker.Settings(
                program: program,
                arguments: [
                    "features", "--version", "\(model.key.model)@\(model.version)", "--project", folder, "--home",
                    home.folder,
                ],
                environment: SystemPlatform.environmentOfChild(Self.allocation),
                log: home.featureLog(of: model.key.model)),
            context: context)
    }

    /// Why there are no features now. What the project's files are to blame for will not pass by itself.
    private static func problem(_ error: FeatureWorker.Unavailable) -> any Error {
        if let kind = error.kind.flatMap({ MartletError.Kind(rawValue: $0) }), kind == .input || kind == .missing {
            return Problem.noFeatures(error.reason, code: error.code, retryAfter: nil)
        }
        var problem = Problem.noFeatures(error.reason, code: error.code, retryAfter: error.retryAfter)
        problem.isUncertain = error.wasLost
        return problem
    }
}

extension FeatureWorker.Condition {
    fileprivate var isDown: Bool { if case .down = self { true } else { false } }
}
