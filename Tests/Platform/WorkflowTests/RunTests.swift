import Core
import Foundation
import Lakehouse
import ProjectTestKit
import Projects
import Registry
import SQLLineage
import Storage
import Synchronization
import TestSupport
import Testing
import Training
import Workflow

/// The whole path in this process, on a small project with the product's engine and learner.
@Suite struct `A run` {
    private let place: TestHome
    private let clock = VirtualClock(step: 1)

    init() throws {
        place = try TestHome.wards()
        try place.land("visits", "first.csv", Wards.first)
        try place.land("visits", "later.csv", Wards.unlabelled)
    }

    /// What a run came to, and the outcome of each of its steps.
    @discardableResult
    private func run(
        from first: Stage = .ingest, to last: Stage = .predict, _ workspace: Workspace? = nil
    ) throws -> (report: RunReport, steps: [String: Journal.Outcome], journal: Journal) {
        let journal = place.journal(clock)
        let report = try (workspace ?? place.workspace(clock)).run(from: first, to: last, journal: journal)
        return (report, Dictionary(uniqueKeysWithValues: journal.entries.map { ($0.step, $0.outcome) }), journal)
    }

    private func registry() throws -> ModelRegistry { try place.registry(clock, project: "wards") }

    private func refusal(_ body: () throws -> Void) -> MartletError? {
        #expect(throws: MartletError.self, performing: body)
    }

    /// A learner that only says that it was asked.
    private struct Refusing: Learner {
        let kind = "lightgbm"
        let asked = Counter()

        func fit(
            _ train: FeatureMatrix, labels: [UInt8], validation: (FeatureMatrix, [UInt8])?, seed: Int, threads: Int
        ) throws -> FittedModel {
            asked.count.add(1, ordering: .relaxed)
            throw MartletError(.input, "learner.test", "It does not learn.")
        }
    }

    private final class Counter: Sendable { let count = Atomic<Int>(0) }

    // MARK: What is done

    @Test func `goes through its stages in order, each step once, and its version becomes the champion`() throws {
        let (report, _, journal) = try run()
        #expect(
            journal.entries.map(\.step) == [
                "ingest:visits", "transform:silver.visits", "transform:gold.visits", "leaks:stay", "train:stay",
                "gates:stay", "register:stay", "predict:stay",
            ])
        #expect(journal.entries.allSatisfy { $0.outcome == .done || $0.step == "leaks:stay" })
        #expect(journal.expected == journal.entries.count)
        let model = try #require(report.models.first)
        #expect(model.passed && model.version?.version == 1 && model.version?.aliases == [.champion])
        let lake = try place.lake(clock)
        for (name, rows) in Wards.counts {
            let table = try #require(TableName(name))
            #expect(try lake.reference(to: table).hash.rows == rows, "\(name)")
        }
        // What was told while it ran is what the trace keeps.
        let trace = try String(contentsOfFile: place.home.trace, encoding: .utf8).split(separator: "\n")
        #expect(trace.compactMap { JSONValue(parsing: String($0))?["step"]?.text } == journal.entries.map(\.step))
        #expect(try Disk.list(place.home.cards) == ["stay-1.md"])
        #expect(try Disk.list(place.home.scratch).isEmpty)
    }

    @Test func `again does nothing and asks no learner, whatever the time`() throws {
        try run()
        let events = try registry().events.head()
        let refusing = Refusing()
        clock.advance(seconds: 400 * 86_400)
        let (report, steps, _) = try run(place.workspace(clock, learner: { _ in refusing }))
        #expect(steps.filter { $0.key != "leaks:stay" }.values.allSatisfy { $0 == .skipped }, "\(steps)")
        #expect(refusing.asked.count.load(ordering: .relaxed) == 0)
        #expect(report.models.first?.version?.version == 1)
        #expect(try registry().events.head() == events)
        #expect(try registry().runs.count() == 1)
    }

    @Test func `does again what a change touches, and what comes after it`() throws {
        try run()
        try place.folder.write(
            "transforms/gold/visits.sql",
            Wards.gold.replacing("weight / nullif(readings, 0)", with: "readings * weight"))
        let (report, steps, _) = try run()
        #expect(steps["ingest:visits"] == .skipped && steps["transform:silver.visits"] == .skipped, "\(steps)")
        for step in ["transform:gold.visits", "train:stay", "gates:stay", "register:stay", "predict:stay"] {
            #expect(steps[step] == .done, "\(step)")
        }
        // The champion stays who it is; the new one waits to be promoted.
        #expect(report.models.first?.version?.aliases == [.candidate])
        #expect(try registry().models.history("stay").champion?.version == 1)
    }

    @Test func `rows without a label train nothing, and are predicted`() throws {
        try run()
        let rows = Wards.csv(Wards.rows(3001..<3011, labelled: false), header: String(Wards.header.dropLast(8)))
        try place.land("visits", "more.csv", rows)
        let (_, steps, journal) = try run()
        #expect(steps["train:stay"] == .skipped && steps["register:stay"] == .skipped, "\(steps)")
        #expect(journal.entries.first { $0.step == "train:stay" }?.detail.hasPrefix("no new labelled rows") == true)
        #expect(steps["predict:stay"] == .done)
        let predicted = try place.lake(clock).reference(to: TableName(.gold, "predictions_stay")).hash.rows
        #expect(predicted == 50)
    }

    @Test func `after a promotion the new champion predicts`() throws {
        try run()
        try place.folder.write(
            "transforms/gold/visits.sql",
            Wards.gold.replacing("weight / nullif(readings, 0)", with: "readings * weight"))
        try run()
        func versions() throws -> [[String?]] {
            try place.lake(clock).query(
                "SELECT DISTINCT version FROM gold.predictions_stay", at: [:], limit: nil
            ).rows
        }
        #expect(throws: Never.self) { try registry().models.promote(ModelReference(parsing: "stay@2")) }
        let before = try versions()
        #expect(try run().steps["predict:stay"] == .done)
        #expect(try before == [["1"]] && versions() == [["2"]])
        try registry().models.rollback("stay")
        #expect(try run().report.warnings.isEmpty)
    }

    // MARK: Stages

    @Test func `stops after the last stage and begins with the first one that were asked for`() throws {
        #expect(try run(to: .ingest).steps.keys.sorted() == ["ingest:visits"])
        let (_, steps, journal) = try run(from: .transform, to: .transform)
        #expect(steps.keys.sorted() == ["transform:gold.visits", "transform:silver.visits"])
        #expect(journal.expected == 2)
        #expect(refusal { try run(from: .register) }?.code == "run.not-trained")
        #expect(try registry().runs.count() == 0)
        try run(from: .train, to: .train)
        #expect(try registry().models.list().isEmpty && registry().runs.count() == 1)
        #expect(try run(from: .register).report.models.first?.version?.version == 1)
    }

    @Test func `a stage without what it stands on is refused, and leaves no run behind`() throws {
        let error = refusal { try run(from: .train) }
        #expect(error?.kind == .missing, "\(error?.description ?? "")")
        #expect(try registry().runs.count() == 0)
    }

    // MARK: Refusals

    @Test func `a gate that fails leaves a rejected run and no version, and the champion goes on`() throws {
        try run()
        try place.configure(Wards.configuration, ("at_least: 0.6}", "at_least: 0.999}"))
        let (report, steps, _) = try run()
        let model = try #require(report.models.first)
        #expect(!model.passed && model.version == nil && model.gates.map(\.passed) == [false])
        #expect(steps["gates:stay"] == .refused && steps["register:stay"] == nil, "\(steps)")
        #expect(steps["predict:stay"] == .skipped, "the champion has said already what it says")
        #expect(try registry().runs.show(model.run).status == .rejected)
        #expect(try registry().models.versions(of: "stay").map(\.version) == [1])
        let error = refusal { try registry().models.register(run: model.run, approval: .none) }
        #expect(error?.code == "registry.gates-failed")
        // Asked again it is the same refusal, without training.
        let refusing = Refusing()
        let again = try run(place.workspace(clock, learner: { _ in refusing }))
        #expect(again.report.models.first?.run == model.run && again.steps["train:stay"] == .skipped)
        #expect(refusing.asked.count.load(ordering: .relaxed) == 0)
    }

    @Test func `a learner that fails leaves a failed run that says why, and the next run goes on from there`() throws {
        let refusing = Refusing()
        #expect(refusal { try run(place.workspace(clock, learner: { _ in refusing })) }?.code == "learner.test")
        #expect(refusing.asked.count.load(ordering: .relaxed) == 1)
        let failed = try #require(try registry().runs.list().first)
        #expect(failed.status == .failed)
        #expect(try registry().runs.show(failed.id).error == "It does not learn.")
        #expect(try registry().models.list().isEmpty)
        let (_, steps, _) = try run()
        #expect(steps["ingest:visits"] == .skipped && steps["transform:gold.visits"] == .skipped, "\(steps)")
        #expect(steps["train:stay"] == .done && steps["register:stay"] == .done, "\(steps)")
    }

    @Test func `a learner that cannot be made leaves no run`() throws {
        let workspace = try place.workspace(
            clock, learner: { _ in throw MartletError(.input, "learner.parameter-value", "rounds is 0.") })
        let error = refusal { try run(workspace) }
        #expect(error?.code == "learner.parameter-value")
        #expect(error?.location?.key == "models.stay" && error?.location?.file == "martlet.yaml")
        #expect(try registry().runs.count() == 0)
    }

    @Test func `a first file that breaks the contract ends the run; a later one is told, and the rest goes on`() throws
    {
        let bad = Wards.csv((1..<4).map { "\($0),yesterday,west,1,1,plain,yes" })
        let empty = try TestHome.wards()
        try empty.land("visits", "bad.csv", bad)
        let journal = empty.journal(clock)
        let error = refusal { _ = try empty.workspace(clock).run(journal: journal) }
        #expect(error?.code == "ingest.refused" && error?.kind == .refused, "\(error?.description ?? "")")
        #expect(journal.entries.map(\.outcome) == [.failed] && journal.entries.first?.detail == "ingest.refused")
        try run()
        try place.land("visits", "bad.csv", bad)
        let (report, steps, _) = try run()
        #expect(report.refusedFiles.map(\.file.name) == ["bad.csv"])
        #expect(steps["ingest:visits"] == .refused && steps["train:stay"] == .skipped, "\(steps)")
    }

    @Test func `no file at all is refused with what to do`() throws {
        let empty = try TestHome.wards()
        let error = refusal { _ = try empty.workspace(clock).run(journal: empty.journal(clock)) }
        #expect(error?.code == "ingest.nothing" && error?.kind == .missing)
        #expect(error?.location?.file == empty.folder.path + "/landing/visits")
    }

    @Test func `a feature that is made of the target is refused before anything is trained`() throws {
        try place.folder.write(
            "transforms/gold/visits.sql",
            Wards.gold.replacing("note, outcome", with: "note, outcome, outcome = 'yes' AS planted"))
        let refusing = Refusing()
        let error = refusal { try run(place.workspace(clock, learner: { _ in refusing })) }
        #expect(
            error?.code.hasPrefix("leak.") == true && error?.message.contains("planted") == true,
            "\(error?.description ?? "")")
        #expect(refusing.asked.count.load(ordering: .relaxed) == 0)
        #expect(try registry().runs.count() == 0)
    }

    // MARK: Registering

    @Test func `a version that needs a person's word has no alias, and predicts nothing before it is given`() throws {
        try place.configure(Wards.configuration, ("approval: none", "approval: required"))
        let (report, steps, _) = try run()
        let version = try #require(report.models.first?.version)
        #expect(version.approval.state == .pending && version.aliases.isEmpty)
        #expect(steps["predict:stay"] == .skipped)
        try registry().models.approve(ModelReference(parsing: "stay@1"))
        let after = try run()
        #expect(after.steps["predict:stay"] == .done && after.steps["register:stay"] == .skipped)
    }

    @Test func `another training with the same result is no version of its own`() throws {
        let first = try #require(try run().report.models.first)
        let (report, steps, journal) = try run(place.workspace(clock, library: "another"))
        let second = try #require(report.models.first)
        #expect(steps["train:stay"] == .done && second.run != first.run, "another library is another training")
        #expect(steps["register:stay"] == .skipped && second.version?.version == 1)
        #expect(journal.entries.first { $0.step == "register:stay" }?.detail == "unchanged, same as stay@1")
        #expect(try registry().models.versions(of: "stay").count == 1)
    }

    @Test func `what a rejected version came to may be judged anew`() throws {
        try place.configure(Wards.configuration, ("approval: none", "approval: required"))
        try run()
        try registry().models.reject(ModelReference(parsing: "stay@1"), reason: "too early")
        let (report, _, _) = try run(place.workspace(clock, library: "another"))
        #expect(report.models.first?.version?.version == 2)
        #expect(report.models.first?.version?.approval.state == .pending)
    }

    // MARK: Artifacts

    @Test func `artifacts that are gone are brought back by the same training, under the same run`() throws {
        let first = try #require(try run().report.models.first)
        let artifacts = try registry().runs.show(first.run).artifacts
        for artifact in artifacts { try place.remove(artifact.digest) }
        let (report, steps, journal) = try run()
        #expect(report.models.first?.run == first.run && steps["train:stay"] == .done)
        #expect(journal.entries.first { $0.step == "train:stay" }?.detail.hasSuffix("restored") == true)
        let store = ArtifactStore(folder: place.home.artifacts)
        for artifact in artifacts { #expect(try store.intact(artifact.digest, artifact.name) != nil) }
        #expect(try registry().runs.count() == 1)
    }

    @Test func `artifacts that training does not give again are told, and there is a new run and candidate`() throws {
        let first = try #require(try run().report.models.first)
        for artifact in try registry().runs.show(first.run).artifacts { try place.remove(artifact.digest) }
        // The learner has become another one, though nothing says so.
        let other = try place.workspace(
            clock,
            learner: { plan in
                var plan = plan
                plan.rounds = 3
                return try TestHome.learners().find(plan.kind).make(plan)
            })
        let second = try #require(try run(to: .register, other).report.models.first)
        #expect(second.run != first.run && second.version?.aliases == [.candidate])
        #expect(second.warnings.contains { $0.contains("trained anew") }, "\(second.warnings)")
        // The champion's bytes are still gone: it predicts nothing until somebody promotes the other one.
        #expect(refusal { try run() }?.code == "artifact.missing")
        try registry().models.promote(ModelReference(parsing: "stay@candidate"))
        #expect(try run().steps["predict:stay"] == .done)
    }

    // MARK: Names

    @Test func `versions that the project registered under another name are told of`() throws {
        #expect(try run().report.warnings.isEmpty)
        try place.configure(Wards.configuration, ("name: wards\n", "name: stations\n"))
        let warnings = try run(to: .ingest).report.warnings
        #expect(warnings.count == 1 && warnings.first?.contains("Write name: wards") == true, "\(warnings)")
    }
}
