import Core
import Lakehouse
import ProjectTestKit
import Projects
import Registry
import SQLLineage
import Storage
import TestSupport
import Testing
import Training
import Workflow

/// Scoring a file, and rebuilding a version, by a project that has run.
@Suite struct `A version that is registered` {
    private let place: TestHome
    private let clock = VirtualClock(step: 1)

    init() throws { place = try TestHome.ran(clock) }

    private func predict(_ rows: [String], by reference: String = "stay@1") throws -> FilePrediction {
        let workspace = try place.workspace(clock)
        let source = try #require(workspace.project.source("visits"))
        let file = try place.folder.write("asked.csv", Wards.csv(rows))
        return try workspace.predict(file: file, of: source, by: ModelReference(parsing: reference))
    }

    private func verify(_ reference: String = "stay@1") throws -> VerifyReport {
        try place.workspace(clock).verify(ModelReference(parsing: reference))
    }

    /// The tables with their newest versions.
    private func tables() throws -> [String] {
        let lake = try place.lake(clock)
        return try lake.tables().map { "\($0)@\(try lake.snapshot(of: $0).version)" }
    }

    /// What is to be in place of the gold table's SQL.
    private func changeSQL() throws {
        try place.folder.write(
            "transforms/gold/visits.sql",
            Wards.gold.replacing("weight / nullif(readings, 0)", with: "readings * weight"))
    }

    private func refusal(_ body: () throws -> Void) -> MartletError? {
        #expect(throws: MartletError.self, performing: body)
    }

    // MARK: A file's records

    @Test func `says the same of a file's rows as a run does of the same rows, and touches no table`() throws {
        let before = try tables()
        let prediction = try predict(Wards.rows(1001..<1041))
        #expect(prediction.rows.count == 40 && prediction.rejected == 0 && prediction.unscored.isEmpty)
        let stored = try place.lake(clock).query(
            "SELECT visit_id, probability FROM gold.predictions_stay", at: [:], limit: nil
        ).rows
        let known = Dictionary(uniqueKeysWithValues: stored.map { ($0[0] ?? "", Double($0[1] ?? "")) })
        for row in prediction.rows { #expect(known[row.key] == row.outcome.score, "\(row.key)") }
        #expect(try tables() == before)
        #expect(try Disk.list(place.home.scratch).isEmpty)
    }

    @Test func `tells which rows have no score, and why`() throws {
        let prediction = try predict([
            "5001,2026-03-01T08:00:00,north,80.5,1,plain,", "5002,yesterday,north,80.5,1,plain,",
            "5003,2026-03-01T08:00:00,south,,1,plain,",
        ])
        #expect(prediction.rows.map(\.key) == ["5001"])
        #expect(prediction.rowsRead == 3 && prediction.rejected == 1 && prediction.leftOut == 1)
        let refused = try #require(prediction.unscored.first { $0.row != nil })
        #expect(refused.row == 2 && refused.reason.contains("seen_at"), "\(refused)")
        #expect(prediction.unscored.contains { $0.key == "5003" && $0.reason == "the project's SQL leaves it out" })
    }

    @Test func `scores a record that is known already as the file has it`() throws {
        let light = try predict(["1,2026-03-02T08:00:00,north,60.5,1,plain,"])
        let heavy = try predict(["1,2026-03-02T08:00:00,north,108.5,1,plain,"])
        let (low, high) = (light.rows.first?.outcome.score, heavy.rows.first?.outcome.score)
        #expect(try #require(low) < #require(high))
    }

    @Test(arguments: [
        ([], "it has a header but no rows"), (["1,yesterday,north,80.5,1,plain,"], "its only row breaks the contract"),
        (["1,yesterday,north,80.5,1,a,", "2,2026-03-01T08:00:00,west,80.5,1,a,"], "all 2 rows break the contract"),
    ])
    func `refuses a file of which nothing can be scored`(_ rows: [String], _ reason: String) throws {
        let error = refusal { _ = try predict(rows) }
        #expect(
            error?.code == "predict.refused" && error?.message.contains(reason) == true, "\(error?.description ?? "")")
        #expect(try Disk.list(place.home.scratch).isEmpty)
    }

    @Test func `makes features by the SQL of its own time`() throws {
        let before = try predict(Wards.rows(1001..<1041))
        try changeSQL()
        try place.run(clock)
        let after = try predict(Wards.rows(1001..<1041))
        #expect(before.rows.map(\.outcome.score) == after.rows.map(\.outcome.score))
        let second = try predict(Wards.rows(1001..<1041), by: "stay@2")
        #expect(second.loaded.version == 2)
    }

    @Test func `is not loaded once a byte of it is another`() throws {
        let run = try place.registry(clock, project: "wards").models.show(ModelReference(parsing: "stay@1")).run
        let model = try #require(run.artifacts.first { $0.name == ArtifactName.model(in: "lightgbm-text") })
        try place.alter(model.digest)
        #expect(refusal { _ = try predict(Wards.rows(1001..<1002)) }?.code == "artifact.altered")
        try place.remove(model.digest)
        #expect(refusal { _ = try predict(Wards.rows(1001..<1002)) }?.code == "artifact.missing")
    }

    // MARK: Rebuilding

    @Test func `is rebuilt from its bronze tables, which nobody touches`() throws {
        let before = try tables()
        let report = try verify()
        #expect(report.equal && report.firstDifference == nil)
        #expect(report.checks.map(\.what) == ["bronze.visits", "silver.visits", "gold.visits", "model"])
        #expect(report.checks.allSatisfy { $0.rebuilt == $0.recorded })
        #expect(try tables() == before && Disk.list(place.home.scratch).isEmpty)
    }

    @Test func `is rebuilt by its own SQL and rows, whatever came after it`() throws {
        try place.land("visits", "more.csv", Wards.csv(Wards.rows(2001..<2101)))
        try changeSQL()
        try place.run(clock)
        for version in 1...2 { #expect(try verify("stay@\(version)").equal, "stay@\(version)") }
    }

    @Test func `is not what it was where a table's file has other rows`() throws {
        let other = try TestHome.wards()
        try other.land("visits", "first.csv", Wards.csv(Wards.rows(1..<601).reversed()))
        try other.run(clock, to: .ingest)
        let bronze = TableName(.bronze, "visits")
        let mine = try #require(try place.lake(clock).files(of: bronze).first)
        let theirs = try #require(try other.lake(clock).files(of: bronze).first)
        try Disk.replaceDurably(mine, Disk.read(theirs))
        let report = try verify()
        #expect(report.firstDifference == "bronze.visits" && !report.equal)
        #expect(report.checks.count == 1, "what stands on it is not looked at")
    }

    @Test func `is not what it was where the learner gives another model`() throws {
        let workspace = try place.workspace(
            clock,
            learner: { plan in
                var plan = plan
                plan.rounds = 3
                return try TestHome.learners().find(plan.kind).make(plan)
            })
        let report = try workspace.verify(ModelReference(parsing: "stay@1"))
        #expect(report.firstDifference == "model" && report.checks.count { !$0.equal } == 1)
    }

    @Test func `says why it cannot be rebuilt`() throws {
        let bronze = try #require(try place.lake(clock).files(of: TableName(.bronze, "visits")).first)
        try place.folder.remove(bronze)
        let report = try verify()
        let check = try #require(report.checks.first)
        #expect(!check.equal && check.rebuilt == nil && check.problem?.isEmpty == false)
    }
}
