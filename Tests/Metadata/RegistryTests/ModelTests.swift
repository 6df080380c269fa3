import Core
import Registry
import SQLText
import SQLite
import TestSupport
import Testing

struct ModelTests {
    let fixture: RegistryFixture
    var models: ModelStore { fixture.registry.models }

    init() throws { fixture = try RegistryFixture() }

    @Test func `without approval the first is champion and later ones are candidate`() throws {
        try fixture.version()
        #expect(try fixture.aliases() == ["champion": 1])
        try fixture.version()
        #expect(try fixture.aliases() == ["champion": 1, "candidate": 2])
        try fixture.version()
        #expect(try fixture.aliases() == ["champion": 1, "candidate": 3])
        #expect(try models.resolve(named("readmission")).approval.state == .none)
    }

    @Test func `with approval a version is pending and nameless until approved`() throws {
        try fixture.version(.required)
        #expect(try fixture.aliases() == [:])
        #expect(try models.list()[0].pending == [1])
        #expect(code { _ = try models.resolve(named("readmission@champion")) } == "registry.unknown-alias")
        let refusal = caught { try models.promote(named("readmission@1")) }
        #expect(refusal?.code == "registry.pending")
        #expect(refusal?.exitCode == 2)
        let approved = try fixture.acting(as: "grace").models.approve(named("readmission@1"), reason: "checked")
        #expect(approved.aliases == [.champion])
        #expect(approved.approval.actor == "grace")
        try fixture.version(.required)
        try fixture.version(.required)
        #expect(try fixture.aliases() == ["champion": 1])
        try models.approve(named("readmission@3"))
        #expect(try fixture.aliases() == ["champion": 1, "candidate": 3])
    }

    @Test func `a rejected version can never be promoted, and needs a reason`() throws {
        try fixture.version()
        try fixture.version(.required)
        for reason in ["", " \n"] {
            #expect(code { try models.reject(named("readmission@2"), reason: reason) } == "registry.reason-needed")
        }
        try models.reject(named("readmission@2"), reason: "leaks the target")
        let refusal = caught { try models.promote(named("readmission@2")) }
        #expect(refusal?.code == "registry.rejected")
        #expect(refusal?.exitCode == 2)
        #expect(refusal?.message.contains("leaks the target") == true)
        #expect(try fixture.aliases() == ["champion": 1])
    }

    @Test func `an approval is decided once`() throws {
        try fixture.version(.required)
        try fixture.version(.required)
        try models.approve(named("readmission@1"))
        try models.reject(named("readmission@2"), reason: "weak")
        let again = caught { try models.approve(named("readmission@1")) }
        #expect(again?.code == "registry.already-approved")
        #expect(again?.message.contains("by ada at 2023-") == true)
        #expect(code { try models.reject(named("readmission@1"), reason: "late") } == "registry.already-approved")
        #expect(code { try models.approve(named("readmission@2")) } == "registry.already-rejected")
        #expect(code { try models.reject(named("readmission@2"), reason: "again") } == "registry.already-rejected")
        try fixture.version(.none)
        #expect(code { try models.approve(named("readmission@3")) } == "registry.no-approval-needed")
    }

    @Test func `registering a run again gives the same version and changes nothing`() throws {
        let run = sample(fixture.virtual.id())
        try fixture.registry.runs.record(run)
        let first = try models.register(run: run.id, approval: .none)
        let events = try models.history("readmission").events
        let second = try models.register(run: run.id, approval: .required)
        #expect(first.isNew && !second.isNew)
        #expect(first.version == second.version)
        #expect(try models.history("readmission").events == events)
    }

    @Test(arguments: [
        (Run.Status.rejected, "registry.gates-failed"), (.failed, "registry.unfinished-run"),
    ])
    func `only a finished run is registered`(_ status: Run.Status, _ expected: String) throws {
        let run = sample(fixture.virtual.id(), status: status, auc: 0.61)
        try fixture.registry.runs.record(run)
        let error = caught { try models.register(run: run.id, approval: .none) }
        #expect(error?.code == expected)
        if status == .rejected {
            #expect(error?.exitCode == 2)
            #expect(error?.message.contains("test roc_auc 0.61 < 0.66") == true)
        }
        #expect(try models.list() == [])
        #expect(code { try models.register(run: "ffff", approval: .none) } == "registry.unknown-run")
        let running = sample(fixture.virtual.id())
        try fixture.registry.runs.begin(running)
        #expect(code { try models.register(run: running.id, approval: .none) } == "registry.unfinished-run")
    }

    @Test func `promotion moves the champion and takes the candidate's name from it`() throws {
        for _ in 1...3 { try fixture.version() }
        let move = try models.promote(named("readmission@candidate"))
        #expect((move.from, move.to, move.moved) == (1, 3, true))
        #expect(try fixture.aliases() == ["champion": 3])
        let events = try models.history("readmission").events.count
        #expect(try models.promote(named("readmission@3")).moved == false)
        #expect(try models.history("readmission").events.count == events)
        #expect(code { try models.promote(named("readmission")) } == "registry.which-version")
    }

    @Test func `rollback walks back through the champions and stops at the first`() throws {
        for _ in 1...4 { try fixture.version() }
        for version in [2, 3, 4] { try models.promote(named("readmission@\(version)")) }
        for expected in [3, 2, 1] {
            let move = try models.rollback("readmission")
            #expect(move.to == expected)
            #expect(try fixture.aliases()["champion"] == expected)
        }
        let refusal = caught { try models.rollback("readmission") }
        #expect(refusal?.code == "registry.no-earlier-champion")
        #expect(refusal?.exitCode == 2)
        #expect(try fixture.aliases()["champion"] == 1)
    }

    @Test func `a promotion after a rollback begins a new branch`() throws {
        for _ in 1...3 { try fixture.version() }
        try models.promote(named("readmission@2"))
        try models.rollback("readmission")
        try models.promote(named("readmission@3"))
        #expect(try models.rollback("readmission").to == 1)
        #expect(code { try models.rollback("readmission") } == "registry.no-earlier-champion")
    }

    @Test func `rollback without a champion is refused with a sentence`() throws {
        try fixture.version(.required)
        #expect(caught { try models.rollback("readmission") }?.message.contains("no champion") == true)
    }

    @Test func `history knows who was champion at an instant and who had approved it`() throws {
        try fixture.version(.required)
        try fixture.version(.required)
        let registered = try #require(try models.history("readmission").events.last)
        try fixture.acting(as: "grace").models.approve(named("readmission@1"), reason: "fine")
        try fixture.acting(as: "linus").models.approve(named("readmission@2"))
        let before = try #require(try models.history("readmission").events.last)
        try fixture.acting(as: "joan").models.promote(named("readmission@2"), reason: "better")
        let promoted = try #require(try models.history("readmission").champion)
        try models.rollback("readmission")

        #expect(try models.history("readmission", at: registered.at).champion == nil)
        let earlier = try #require(try models.history("readmission", at: before.at).champion)
        #expect((earlier.version, earlier.approvedBy, earlier.cause) == (1, "grace", .approval))
        #expect((promoted.version, promoted.approvedBy, promoted.actor) == (2, "linus", "joan"))
        #expect(try models.history("readmission", at: promoted.since).champion == promoted)
        let now = try #require(try models.history("readmission").champion)
        #expect((now.version, now.cause, now.approvedBy) == (1, .rollback, "grace"))
        #expect(try models.history("readmission", at: Timestamp(microseconds: 0)).events == [])
    }

    @Test func `history goes forward in time when the clock goes backwards`() throws {
        let fixture = try RegistryFixture(virtual: VirtualClock(step: -3600))
        for _ in 1...3 { try fixture.version() }
        try fixture.registry.models.promote(named("readmission@2"))
        try fixture.registry.models.rollback("readmission")
        let events = try fixture.registry.models.history("readmission").events
        #expect(events.map(\.position) == Array(1...events.count))
        #expect(events.map(\.at) == events.map(\.at).sorted())
    }

    @Test func `shows a version with its metrics, gates, lineage and approval as JSON`() throws {
        try fixture.version(.required)
        try models.approve(named("readmission@1"), reason: "checked")
        let version = try json(models.show(named("readmission@champion")))
        #expect(
            version.keys.sorted() == [
                "actor", "aliases", "approval", "artifacts", "created", "experiment", "fingerprint", "gates", "lineage",
                "metrics", "model", "model_hash", "params", "run", "seed", "synthetic", "version",
            ])
        let metrics = version["metrics"] as? [String: [String: [String: Any]]]
        let auc = try #require(metrics?["test"]?["roc_auc"] as? [String: Double])
        #expect(auc == ["value": 0.6875, "low": 0.625, "high": 0.75])
        let approval = try #require(version["approval"] as? [String: String])
        #expect(approval["state"] == "approved" && approval["policy"] == "required" && approval["reason"] == "checked")
        let lineage = try #require(version["lineage"] as? [String: [[String: Any]]])
        #expect(lineage["files"]?.first?["rows"] as? Int == 101_766)
        #expect(lineage["tables"]?.first?["name"] as? String == "gold.encounters")
        #expect((version["gates"] as? [[String: Any]])?.first?["comparator"] as? String == "at_least")
        #expect(version["aliases"] as? [String] == ["champion"])
    }

    @Test func `lists models with what their aliases name`() throws {
        for _ in 1...2 { try fixture.version(model: "b") }
        try fixture.version(.required, model: "a")
        let list = try models.list()
        #expect(list.map(\.model) == ["a", "b"])
        #expect(list.map(\.pending) == [[1], []])
        #expect(list.map(\.champion) == [nil, 1])
        #expect(list.map(\.candidate) == [nil, 2])
        #expect(list.map(\.versions) == [1, 2])
        #expect(try models.versions(of: "b").map(\.version) == [2, 1])
    }

    @Test func `everything is there after reopening`() throws {
        for _ in 1...2 { try fixture.version() }
        let before = try models.show(named("readmission@2"))
        let again = try ModelRegistry(
            TestDatabase.open(fixture.scratch.path, readOnly: true), project: "hospital", actor: "ada",
            context: fixture.virtual.context())
        #expect(try again.models.show(named("readmission@candidate")) == before)
    }
}
