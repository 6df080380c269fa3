internal import Logging
internal import Machine
internal import Projects
internal import Registry
internal import Serving
internal import Synchronization
internal import Vocabulary

/// Keeps the slots of a server at their projects' champions: looks again and again, loads what is new beside what
/// answers, tries it, and swaps. What cannot be loaded or looked up leaves the version that answers where it is, and the
/// slot says so.
final class ChampionWatch: Sendable {
    private let projects: [ServedProject]
    private let catalog: ModelCatalog
    private let logger: Logger
    private let isOver = Atomic<Bool>(false)

    init(_ projects: [ServedProject], catalog: ModelCatalog, logger: Logger) {
        self.projects = projects
        self.catalog = catalog
        self.logger = logger
    }

    /// Looks once at every model; blocks on the disk.
    func look() {
        for project in projects {
            for slot in catalog.slots where slot.key.project == project.project.name { look(slot, project) }
        }
    }

    /// Looks again and again, on this thread, until `end`.
    func run(every seconds: Double) {
        while !isOver.load(ordering: .relaxed) {
            RealWorld.pause(seconds: seconds)
            look()
        }
    }

    func end() { isOver.store(true, ordering: .relaxed) }

    private func look(_ slot: ModelSlot, _ project: ServedProject) {
        do {
            let version = try project.champion(of: slot.key.model)
            if slot.served?.version == version { return slot.note(trouble: nil) }
            let next = try project.load(ModelReference(model: slot.key.model, selector: .version(version)))
            let before = slot.swap(to: next)
            logger.info(
                "model loaded",
                metadata: [
                    "model": "\(slot.key)", "version": "\(version)",
                    "replaces": "\(before.map { "\($0.version)" } ?? "nothing")",
                ])
        } catch {
            let reason = (error as? MartletError).map { "\($0.message) [\($0.code)]" } ?? "\(error)"
            if slot.trouble != reason {
                logger.error("model not up to date", metadata: ["model": "\(slot.key)", "reason": "\(reason)"])
            }
            slot.note(trouble: reason)
        }
    }
}
