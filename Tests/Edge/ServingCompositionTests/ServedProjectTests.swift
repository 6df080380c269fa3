import Composition
import Core
import HTTPAPI
import PredictionLog
import ProjectTestKit
import Projects
import Registry
import SQLText
import Serving
import ServingComposition
import Storage
import TestSupport
import Testing
import Training

/// A project that a server is started with.
@Suite struct `A project that is served` {
    private let clock = VirtualClock(start: 1_800_000_000)

    private func serve(_ place: TestHome, log: PredictionLogMode? = nil) throws -> ServedProject {
        try ServedProject(
            folder: place.folder.path, home: nil, log: log, policy: PredictionLogPolicy(), context: clock.context())
    }

    private func refusal(_ body: () throws -> Void) -> MartletError? {
        #expect(throws: MartletError.self, performing: body)
    }

    @Test func `may be new: its metadata are begun, for its account alone`() throws {
        let place = try TestHome.wards()
        let served = try serve(place)
        #expect(served.lastError == nil && served.log == nil)
        #expect(served.keys == [ModelKey(project: "wards", model: "stay")])
        #expect(try served.metadata.exists() && served.registry().models.list().isEmpty)
        #expect(Disk.permissions(place.home.folder).map { $0 & 0o077 } == 0)
        #expect(refusal { _ = try served.champion(of: "stay") }?.code == "registry.unknown-model")
    }

    @Test(.enabled(if: TestDatabase.isSQLite, "another program's database cannot be taken away"))
    func `is refused where its tables are there and its registry is not`() throws {
        let place = try TestHome.ran(clock)
        try place.loseMetadata()
        let error = refusal { _ = try serve(place) }
        #expect(error?.code == "registry.gone" && error?.kind == .missing, "\(error?.description ?? "")")
        #expect(error?.message.contains("bronze") == true && error?.location?.file == place.home.database)
        #expect(!Disk.exists(place.home.database), "a new one would hide it")
    }

    @Test(.enabled(if: TestDatabase.isSQLite, "another program's database cannot be taken away"))
    func `tells where its registry goes while it is served, and makes none`() throws {
        let place = try TestHome.ran(clock)
        let served = try serve(place)
        #expect(try served.champion(of: "stay") == 1 && served.champions(of: "stay") == [1])
        let registry = try served.registries.open().registry
        _ = try registry.jobs.submit(JobOrder(kind: "train"))
        try place.loseMetadata()
        #expect(refusal { _ = try served.champion(of: "stay") }?.code == "registry.gone")
        // What is written through a handle that was open before would be acknowledged and lost.
        #expect(refusal { _ = try served.registries.open() }?.code == "registry.gone")
        #expect(!Disk.exists(served.home.database))
    }

    @Test func `is served though its registry cannot be brought up to date, and says why`() throws {
        let place = try TestHome.ran(clock)
        // Written by a later program, as far as its number tells.
        try place.database().write { connection in
            try connection.execute(
                "UPDATE schema_migrations SET number = 9999 WHERE number = (SELECT max(number) FROM schema_migrations)")
        }
        let served = try serve(place)
        #expect(served.lastError?.code == "metadata.newer", "\(String(describing: served.lastError))")
    }

    @Test func `loads a version with its schema, and tries it on its samples`() throws {
        let place = try TestHome.ran(clock)
        let served = try serve(place, log: .written)
        let (model, verified) = try served.load(ModelReference(parsing: "stay@champion"))
        #expect(model.version == 1 && model.key == ModelKey(project: "wards", model: "stay") && !model.synthetic)
        #expect(verified ?? 0 > 0)
        #expect(model.journal != nil)
        #expect(model.signature.columns.map(\.name) == ["ward", "weight", "readings", "weight_per_reading"])
        #expect(refusal { _ = try served.load(ModelReference(parsing: "stay@2")) }?.kind == .missing)
    }

    @Test func `is looked after with the policy of its models, and opens its registry for writing once`() throws {
        let place = try TestHome.wards(("approval: none", "approval: required"))
        let managed = try serve(place).managed
        #expect(managed.name == "wards" && managed.policies == ["stay": .required])
        let (first, second) = (try managed.open(), try managed.open())
        #expect(first.database as AnyObject === second.database as AnyObject)
        #expect(managed.log("j1", 2).hasPrefix(place.home.jobLogs + "/"))
    }

    @Test func `is refused where its files are wrong, before anything is made`() throws {
        let place = try TestHome.wards()
        try place.configure(Wards.configuration, ("kind: hash", "kind: hush"))
        let error = refusal { _ = try serve(place) }
        #expect(error?.kind == .input && error?.location?.file?.hasSuffix("martlet.yaml") == true)
        #expect(!Disk.exists(place.home.database))
    }
}
