internal import Composition
package import Core
package import Logging
internal import Projects
internal import Registry
package import Serving
internal import Synchronization

/// Follows the events of the registries and keeps each slot at its project's champion.
///
/// An event is written with the change of which it tells, so that a promotion or a rollback, by whatever process, is
/// seen at the next read of the events; a slow look at every model is the safety net.
///
/// Loads a new version beside the one that answers, verifies it, and swaps. When loading or looking up fails the
/// version that answers stays, and the slot says so; a version that could not be loaded is tried again after 1, 2, 4 …
/// 30 seconds.
package final class ChampionWatch: Sendable {
    private let projects: [ServedProject]
    private let catalog: ModelCatalog
    private let logger: Logger
    private let clock: any ExecutionClock
    private let isOver = Atomic<Bool>(false)
    private let looking = Mutex(())
    /// The version that answered before, still loaded: going back to it takes no time.
    private let before = Mutex<[ModelKey: ServedModel]>([:])
    /// A version that was loaded and tried before it becomes champion.
    private let prepared = Mutex<[ModelKey: ServedModel]>([:])
    private let preparing = Mutex(())
    /// Of each of the projects.
    private let events: [AliasEvents]
    private let failures = Mutex<[ModelKey: Failure]>([:])

    /// A version that could not be loaded, and when it is tried again.
    private struct Failure {
        var version: Int
        var pause: Double
        var next: Double
    }

    package init(_ projects: [ServedProject], catalog: ModelCatalog, clock: any ExecutionClock, logger: Logger) {
        self.projects = projects
        events = projects.map { _ in AliasEvents() }
        self.catalog = catalog
        self.clock = clock
        self.logger = logger
    }

    /// Looks once at every model, of one project or of all; blocks on the disk, and while another thread looks.
    package func look(project name: String? = nil) {
        looking.withLock { _ in
            for project in projects where name.map({ $0 == project.project.name }) ?? true {
                for slot in catalog.slots where slot.key.project == project.project.name { look(slot, project) }
            }
        }
    }

    /// Loads a version that is to become champion, checks every digest, and tries it on its sample predictions. What
    /// answers now goes on meanwhile. Blocks. A model that this server does not have is not looked at.
    /// - Throws: `serving.unusable` where the version cannot answer.
    package func prepare(project name: String, model: String, version: Int) throws {
        let key = ModelKey(project: name, model: model)
        guard let project = projects.first(where: { $0.project.name == name }),
            let slot = catalog.slots.first(where: { $0.key == key })
        else { return }
        if slot.loaded?.version == version { return }
        // One at a time: each has a whole model in memory.
        try preparing.withLock { _ in try prepare(version, slot, project) }
    }

    private func prepare(_ version: Int, _ slot: ModelSlot, _ project: ServedProject) throws {
        let key = slot.key
        let model = key.model
        do {
            let (next, verified) = try Self.load(version, slot, project)
            prepared.withLock { $0[key] = next }
            logger.info(
                "version tried",
                metadata: ["model": "\(key)", "version": "\(version)", "verified": Self.told(verified)])
        } catch {
            // The machine's own trouble says nothing of the version.
            if let error = error as? MartletError, error.kind == .machine { throw error }
            let reason = (error as? MartletError).map { "\($0.message) [\($0.code)]" } ?? "\(error)"
            logger.error(
                "a version was not deployed: it cannot answer",
                metadata: ["model": "\(key)", "version": "\(version)", "reason": "\(reason)"])
            throw MartletError(
                .conflict, "serving.unusable",
                "\(model)@\(version) cannot answer: \(reason) "
                    + (slot.loaded.map { "\(model)@\($0.version) goes on." } ?? "Nothing was changed."),
                remedy: "Restore the artifacts of its run, or deploy another version.")
        }
    }

    /// Follows the projects' events on this thread until `end`, and looks at every model now and then all the same.
    /// - Parameters:
    ///   - seconds: between two reads of the events.
    ///   - most: between two looks at every model, for changes that no event tells of.
    package func run(every seconds: Double, lookingEvery most: Double) {
        var looked = clock.uptime()
        while !isOver.load(ordering: .relaxed) {
            clock.block(seconds: seconds)
            guard clock.uptime() - looked >= most else {
                follow()
                continue
            }
            look()
            looked = clock.uptime()
        }
    }

    /// Reads what is new of each project's events, and looks at the models of those in which an alias has moved, or whose
    /// models are not up to date. Blocks on the disk, and while another thread looks.
    package func follow() {
        for (project, events) in zip(projects, events) {
            let slots = catalog.slots.filter { $0.key.project == project.project.name }
            // An error is what `look` finds again, and tells.
            let mayHaveMoved = (try? events.haveMoved(in: project.registry().events)) ?? true
            if mayHaveMoved || slots.contains(where: { $0.trouble != nil }) {
                look(project: project.project.name)
            } else {
                for slot in slots { slot.confirm() }
            }
        }
    }

    /// Makes `run` return after its present pause and a last look; does not wait for it.
    package func end() { isOver.store(true, ordering: .relaxed) }

    private func look(_ slot: ModelSlot, _ project: ServedProject) {
        do {
            let version = try project.champion(of: slot.key.model)
            slot.confirm()
            if slot.loaded?.version == version {
                prepared.withLock { $0[slot.key] = nil }
                return slot.note(trouble: nil)
            }
            slot.isAwaited = true
            if let failure = failures.withLock({ $0[slot.key] }), failure.version == version,
                clock.uptime() < failure.next
            {
                return
            }
            try load(version, slot, project)
        } catch {
            let error = error as? MartletError
            // That there is no champion is an answer too; a registry that is away, or gone, gives none.
            if let error, error.kind != .machine, !["registry.gone", "metadata.missing"].contains(error.code) {
                slot.confirm()
            }
            // A model of which no version was approved yet keeps nobody waiting for the others.
            if slot.loaded == nil, ["registry.unknown-alias", "registry.unknown-model"].contains(error?.code) {
                slot.isAwaited = false
            }
            let reason = error.map { "\($0.message) [\($0.code)]" } ?? "\(error.debugDescription)"
            if slot.loaded == nil { fallBack(slot, project) }
            // Anybody may read the health of a server: where its database is stands in the log alone.
            let told =
                ["metadata.away", "metadata.denied"].contains(error?.code)
                ? "The metadata database cannot be read [\(error?.code ?? "")]; the server's log says why." : reason
            if slot.trouble != told {
                logger.error("model not up to date", metadata: ["model": "\(slot.key)", "reason": "\(reason)"])
            }
            slot.note(trouble: told)
        }
    }

    /// The champion cannot answer after a start: the one before it does, if it can.
    private func fallBack(_ slot: ModelSlot, _ project: ServedProject) {
        guard let line = try? project.champions(of: slot.key.model) else { return }
        var tried: Set<Int> = []
        for version in line.dropLast().reversed() where tried.insert(version).inserted && tried.count <= 5 {
            do { try deploy(Self.load(version, slot, project).model, slot) } catch { continue }
            logger.error(
                "an earlier champion answers, since the present one cannot",
                metadata: ["model": "\(slot.key)", "version": "\(version)"])
            return
        }
    }

    /// Makes a version answer as the champion. Gives the one that answered before.
    @discardableResult
    private func deploy(_ model: ServedModel, _ slot: ModelSlot) throws -> ServedModel? {
        slot.swap(to: FixedDeployment(try Arm(model)))?.route(nil).answering.model
    }

    /// Loads and tries a version. Where another one answers meanwhile, its requests go before.
    private static func load(
        _ version: Int, _ slot: ModelSlot, _ project: ServedProject
    ) throws -> (model: ServedModel, verified: Int?) {
        let reference = ModelReference(model: slot.key.model, selector: .version(version))
        guard slot.loaded != nil else { return try project.load(reference) }
        return try SystemPlatform.yielding { try project.load(reference) }
    }

    private static func told(_ verified: Int?) -> Logger.MetadataValue {
        verified.map { "\($0) sample predictions" } ?? "no: it has no sample predictions"
    }

    private func load(_ version: Int, _ slot: ModelSlot, _ project: ServedProject) throws {
        do {
            let kept =
                prepared.withLock { $0.removeValue(forKey: slot.key) }.flatMap { $0.version == version ? $0 : nil }
                ?? before.withLock { $0[slot.key] }.flatMap { $0.version == version ? $0 : nil }
            let (next, verified) =
                try kept.map { ($0, nil) }
                ?? Self.load(version, slot, project)
            let replaced = try deploy(next, slot)
            before.withLock { $0[slot.key] = replaced }
            failures.withLock { $0[slot.key] = nil }
            logger.info(
                "model loaded",
                metadata: [
                    "model": "\(slot.key)", "version": "\(version)",
                    "replaces": "\(replaced.map { "\($0.version)" } ?? "nothing")",
                    "verified": kept == nil ? Self.told(verified) : "when it was loaded",
                ])
        } catch {
            let now = clock.uptime()
            failures.withLock { failures in
                let before = failures[slot.key].flatMap { $0.version == version ? $0.pause : nil }
                let pause = min(30, (before ?? 0.5) * 2)
                failures[slot.key] = Failure(version: version, pause: pause, next: now + pause)
            }
            throw error
        }
    }
}
