import Core
import HTTPAPI
import PredictionLog
import ProjectTestKit
import Projects
import Registry
import ServerTestKit
import Serving
import ServingComposition
import TestSupport

/// The project ``Wards`` as a server has it, with its slots kept up to date by hand: `stay@1` is the champion, and
/// `stay@2` was trained on other features.
final class ServedWards: Sendable {
    let place: TestHome
    let clock: VirtualClock
    let log = RecordedLog()
    let served: ServedProject
    let catalog: ModelCatalog
    let watch: ChampionWatch

    static let key = ModelKey(project: "wards", model: "stay")
    /// A row that both versions take; they say different things of it.
    static let record =
        #"{"record": {"ward": "north", "weight": 96.5, "readings": 3, "weight_per_reading": 32.17, "burden": 289.5}}"#

    /// - Parameters:
    ///   - versions: 1 or 2.
    ///   - staleLimit: seconds for which versions answer while the registry does not say which one is to.
    init(
        versions: Int = 2, staleLimit: Double = 900, log mode: PredictionLogMode? = nil,
        disk: some SegmentDisk = RealDisk(), policy: PredictionLogPolicy = PredictionLogPolicy(),
        _ changes: (old: String, new: String)...
    ) throws {
        clock = VirtualClock(start: 1_800_000_000)
        let clock = clock
        place = try TestHome.wards(changes)
        try place.land("visits", "first.csv", Wards.first)
        try place.run(clock)
        if versions > 1 {
            try place.folder.write(
                "transforms/gold/visits.sql",
                Wards.gold.replacing("note, outcome", with: "readings * weight AS burden, note, outcome"))
            try place.run(clock)
        }
        served = try ServedProject(
            folder: place.folder.path, home: nil, log: mode, policy: policy, disk: disk, context: clock.context())
        catalog = ModelCatalog(served.keys, freshness: { Freshness(limit: staleLimit, clock: clock) })
        watch = ChampionWatch([served], catalog: catalog, clock: clock, logger: log.logger)
    }

    var slot: ModelSlot { get throws { try catalog.slot(project: Self.key.project, model: Self.key.model) } }

    /// The version that answers.
    var version: Int? { get throws { try slot.served?.version } }

    /// The models as a command of another process has them.
    var models: ModelStore { get throws { try place.registry(clock, project: "wards").models } }

    func promote(_ version: Int) throws { try models.promote(ModelReference(parsing: "stay@\(version)")) }

    /// The digest of an artifact of a version.
    func artifact(_ name: String = "model.txt", of version: Int) throws -> Digest {
        let run = try models.show(ModelReference(parsing: "stay@\(version)")).run
        guard let artifact = run.artifacts.first(where: { $0.name == name }) else {
            throw MartletError(.defect, "test.artifact", name)
        }
        return artifact.digest
    }

    /// A server over it, whose slots are looked at after each change, as the product's.
    /// - Parameter isDraining: whether it is shutting down.
    func server(isDraining: @escaping @Sendable () -> Bool = { false }) async throws -> TestServer {
        let watch = watch
        return try await TestServer(
            served.managed, catalog: catalog, in: TemporaryFolder(), clock: clock,
            prepare: { try watch.prepare(project: $0, model: $1, version: $2) }, changed: { watch.look(project: $0) },
            isDraining: isDraining)
    }
}
