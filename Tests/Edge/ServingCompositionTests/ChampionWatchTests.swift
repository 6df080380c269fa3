import Core
import Logging
import ProjectTestKit
import Projects
import Registry
import SQLText
import ServerTestKit
import Serving
import ServingComposition
import Storage
import TestSupport
import Testing

/// Which version answers, as the registry changes and files are damaged.
@Suite struct `A server's champion` {
    private func refusal(_ body: () throws -> Void) -> MartletError? {
        #expect(throws: MartletError.self, performing: body)
    }

    // MARK: Changes

    @Test func `is taken up at the next look, and the one before answers until then`() throws {
        let wards = try ServedWards()
        #expect(try wards.version == nil && wards.slot.isAwaited)
        wards.watch.look()
        #expect(try wards.version == 1 && wards.slot.trouble == nil)
        try wards.promote(2)
        #expect(try wards.version == 1)
        wards.watch.look(project: "elsewhere")
        #expect(try wards.version == 1, "another project was looked at")
        wards.log.take()
        wards.watch.look()
        #expect(try wards.version == 2)
        let told = try #require(wards.log.entries.first)
        #expect(wards.log.entries.count == 1 && told.message == "model loaded" && told.metadata["replaces"] == "1")
        #expect(told.metadata["verified"]?.hasSuffix("sample predictions") == true, "\(told.metadata)")
        wards.log.take()
        wards.watch.look()
        #expect(wards.log.entries.isEmpty, "what is as it was is not told")
    }

    @Test func `is taken up by the events that tell of it, and goes back by them`() throws {
        let wards = try ServedWards()
        wards.watch.follow()
        #expect(try wards.version == 1, "the first time everything is looked at")
        try wards.promote(2)
        wards.watch.follow()
        #expect(try wards.version == 2)
        try wards.models.rollback("stay")
        wards.watch.follow()
        #expect(try wards.version == 1)
    }

    @Test func `is looked at only where an event tells that it may be another one`() throws {
        let wards = try ServedWards()
        wards.watch.follow()
        // A change that no event tells of is left to the slow look.
        try wards.place.database().write { connection in
            try connection.execute("UPDATE aliases SET version = 2 WHERE alias = 'champion'")
        }
        wards.watch.follow()
        #expect(try wards.version == 1)
        wards.watch.look()
        #expect(try wards.version == 2)
    }

    @Test func `goes on while its events can be read, and is in trouble when they cannot`() throws {
        let wards = try ServedWards(staleLimit: 60)
        wards.watch.follow()
        for _ in 0..<3 {
            wards.clock.advance(seconds: 50)
            wards.watch.follow()
            #expect(try wards.version == 1)
        }
        try wards.place.remove(wards.artifact(of: 2))
        try wards.promote(2)
        wards.watch.follow()
        #expect(try wards.version == 1 && wards.slot.trouble != nil)
        // Back again, without a further event.
        try wards.models.rollback("stay")
        wards.watch.follow()
        #expect(try wards.version == 1 && wards.slot.trouble == nil)
    }

    @Test func `goes back at once, since the version before is still loaded`() throws {
        let wards = try ServedWards()
        wards.watch.look()
        try wards.promote(2)
        wards.watch.look()
        // Without its files: nothing is read for a rollback.
        try wards.place.remove(wards.artifact(of: 1))
        try wards.models.rollback("stay")
        wards.watch.look()
        #expect(try wards.version == 1 && wards.slot.trouble == nil)
        #expect(wards.log.entries.last?.metadata["verified"] == "when it was loaded")
    }

    @Test func `is nobody before the first version was approved, which keeps nobody waiting`() throws {
        let wards = try ServedWards(versions: 1, ("approval: none", "approval: required"))
        wards.watch.look()
        #expect(try wards.version == nil && !wards.slot.isAwaited)
        #expect(!wards.catalog.isReady, "a server with nothing to say is not ready")
        try wards.models.approve(ModelReference(parsing: "stay@1"))
        wards.watch.look()
        #expect(try wards.version == 1 && wards.catalog.isReady)
    }

    @Test func `is no version that was rejected`() throws {
        let wards = try ServedWards(versions: 1, ("approval: none", "approval: required"))
        try wards.models.reject(ModelReference(parsing: "stay@1"), reason: "too early")
        #expect(refusal { try wards.promote(1) }?.kind == .refused)
        wards.watch.look()
        #expect(try wards.version == nil)
    }

    // MARK: Damage

    @Test(arguments: ["model.txt", "model.json", "samples.json"])
    func `that is damaged is refused, and the one before goes on`(_ name: String) throws {
        let wards = try ServedWards()
        wards.watch.look()
        let digest = try wards.artifact(name, of: 2)
        try wards.place.alter(digest)
        try wards.promote(2)
        wards.log.take()
        wards.watch.look()
        #expect(try wards.version == 1)
        let trouble = try #require(try wards.slot.trouble)
        #expect(trouble.contains(name) && trouble.contains("[artifact.altered]"), "\(trouble)")
        #expect(wards.log.messages(.error) == ["model not up to date"])
        // As long as it holds on it is told once.
        wards.clock.advance(seconds: 60)
        wards.watch.look()
        #expect(wards.log.messages(.error).count == 1)
    }

    @Test func `that could not be loaded is tried again after one, two, four seconds, and not more often`() throws {
        let wards = try ServedWards()
        wards.watch.look()
        let digest = try wards.artifact(of: 2)
        let whole = try Disk.read(wards.place.path(of: digest))
        try wards.place.alter(digest)
        try wards.promote(2)
        wards.watch.look()
        for pause in [1.0, 2, 4] {
            // Whole for a moment in which nobody looks at it.
            try Disk.replaceDurably(wards.place.path(of: digest), whole)
            wards.clock.advance(seconds: pause - 0.1)
            wards.watch.look()
            #expect(try wards.version == 1, "\(pause)")
            try wards.place.alter(digest)
            wards.clock.advance(seconds: 0.2)
            wards.watch.look()
            #expect(try wards.version == 1, "\(pause)")
        }
        try Disk.replaceDurably(wards.place.path(of: digest), whole)
        wards.clock.advance(seconds: 8)
        wards.watch.look()
        #expect(try wards.version == 2 && wards.slot.trouble == nil)
    }

    @Test func `that cannot answer after a start is stood in for by the one before it`() throws {
        let wards = try ServedWards()
        try wards.promote(2)
        try wards.place.alter(wards.artifact(of: 2))
        wards.watch.look()
        #expect(try wards.version == 1 && wards.slot.trouble != nil)
        #expect(wards.log.messages(.error).contains("an earlier champion answers, since the present one cannot"))
    }

    @Test func `that cannot answer, with none before it, leaves nothing to answer with`() throws {
        let wards = try ServedWards(versions: 1)
        try wards.place.remove(wards.artifact(of: 1))
        wards.watch.look()
        #expect(try wards.version == nil && wards.slot.isAwaited && !wards.catalog.isReady)
        #expect(try wards.slot.trouble?.contains("[artifact.missing]") == true)
    }

    // MARK: Trying a version

    @Test func `that was tried before is taken without loading it again`() throws {
        let wards = try ServedWards()
        wards.watch.look()
        try wards.watch.prepare(project: "wards", model: "stay", version: 2)
        #expect(try wards.version == 1)
        try wards.place.remove(wards.artifact(of: 2))
        try wards.promote(2)
        wards.watch.look()
        #expect(try wards.version == 2)
        #expect(wards.log.entries.last?.metadata["verified"] == "when it was loaded")
    }

    @Test func `is not changed by trying a version that cannot answer`() throws {
        let wards = try ServedWards()
        wards.watch.look()
        try wards.place.alter(wards.artifact(of: 2))
        let error = refusal { try wards.watch.prepare(project: "wards", model: "stay", version: 2) }
        #expect(error?.code == "serving.unusable" && error?.kind == .conflict, "\(error?.description ?? "")")
        #expect(error?.message.contains("stay@1 goes on") == true)
        #expect(try wards.version == 1)
        // The one that answers needs no trial, and models of others are none of this server's.
        try wards.place.remove(wards.artifact(of: 1))
        try wards.watch.prepare(project: "wards", model: "stay", version: 1)
        try wards.watch.prepare(project: "wards", model: "other", version: 9)
        try wards.watch.prepare(project: "elsewhere", model: "stay", version: 9)
    }

    // MARK: A registry that is away

    @Test(.enabled(if: TestDatabase.isSQLite, "another program's database cannot be taken away"))
    func `answers for so long while the registry is away, and again as soon as it is back`() throws {
        let wards = try ServedWards(staleLimit: 900)
        wards.watch.look()
        let names = ["", "-wal", "-shm"].map { wards.place.home.database + $0 }.filter { Disk.exists($0) }
        let kept = try names.map { ($0, try Disk.read($0)) }
        try wards.place.loseMetadata()
        wards.clock.advance(seconds: 900)
        wards.watch.look()
        #expect(try wards.version == 1 && wards.slot.trouble?.contains("[registry.gone]") == true)
        #expect(!Disk.exists(wards.place.home.database), "looking makes none")
        wards.clock.advance(seconds: 1)
        wards.watch.look()
        #expect(try wards.version == nil && wards.slot.isStale && wards.slot.loaded?.version == 1)
        for (name, bytes) in kept { try Disk.replaceDurably(name, bytes) }
        wards.watch.look()
        #expect(try wards.version == 1 && !wards.slot.isStale && wards.slot.trouble == nil)
    }

    @Test func `answers for ever while the registry says who it is`() throws {
        let wards = try ServedWards(versions: 1, staleLimit: 5)
        for _ in 0..<20 {
            wards.watch.look()
            #expect(try wards.version == 1)
            wards.clock.advance(seconds: 5)
        }
        wards.clock.advance(seconds: 1)
        #expect(try wards.version == nil, "nobody looked")
    }
}
