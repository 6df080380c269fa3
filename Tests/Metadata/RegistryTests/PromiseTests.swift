import Core
import Registry
import SQLText
import SQLite
import TestSupport
import Testing

/// What docs/registry.md promises and no other test has.
struct PromiseTests {
    @Test func `a reader never waits for a writer, and a writer waits for another one`() throws {
        let fixture = try RegistryFixture()
        try fixture.version()
        let other = try TestDatabase.open(fixture.scratch.path)
        try fixture.database.write { _ in
            let seen = try other.read { try $0.rows("SELECT * FROM model_versions").count }
            #expect(seen == 1)
        }
        let patience = try other.write {
            TestDatabase.isSQLite
                ? try $0.row("PRAGMA busy_timeout")?.values.first : try $0.row("SHOW lock_timeout")?.values.first
        }
        #expect(patience == (TestDatabase.isSQLite ? .integer(10_000) : .text("30s")))
    }

    @Test func `where a version is only looked at the name alone is the champion, where it is moved it must be said`()
        throws
    {
        let fixture = try RegistryFixture()
        for _ in 1...2 { try fixture.version() }
        let models = fixture.registry.models
        #expect(try models.resolve(named("readmission")).version == 1)
        #expect(try models.show(named("readmission")).summary.version == 1)
        let acts: [() throws -> Void] = [
            { _ = try models.approve(named("readmission")) },
            { _ = try models.reject(named("readmission"), reason: "no") },
            { _ = try models.promote(named("readmission")) },
        ]
        for act in acts {
            #expect(code { try act() } == "registry.which-version")
        }
    }

    @Test func `the policy is that of the registration, whatever comes later`() throws {
        let fixture = try RegistryFixture()
        try fixture.version(.required)
        try fixture.version(.none)
        #expect(try fixture.aliases() == ["champion": 2])
        #expect(code { try fixture.registry.models.promote(named("readmission@1")) } == "registry.pending")
        try fixture.registry.models.approve(named("readmission@1"))
        #expect(try fixture.aliases() == ["champion": 2, "candidate": 1])
        #expect(try fixture.registry.models.show(named("readmission@1")).summary.approval.policy == .required)
    }

    @Test func `approval's time, actor and reason are absent until it is decided`() throws {
        let fixture = try RegistryFixture()
        try fixture.version(.required)
        let open = try json(fixture.registry.models.show(named("readmission@1")))["approval"] as? [String: Any]
        #expect(open?.keys.sorted() == ["policy", "state"])
        try fixture.registry.models.approve(named("readmission@1"), reason: "read")
        let decided = try json(fixture.registry.models.show(named("readmission@1")))["approval"] as? [String: Any]
        #expect(decided?.keys.sorted() == ["actor", "at", "policy", "reason", "state"])
    }

    @Test func `a run with a gate that did not pass is kept and never registered`() throws {
        let fixture = try RegistryFixture()
        let run = sample(fixture.virtual.id(), status: .rejected, auc: 0.5)
        try fixture.registry.runs.record(run)
        #expect(try fixture.registry.runs.show(run.id).status == .rejected)
        let refused = caught { try fixture.registry.models.register(run: run.id, approval: .none) }
        #expect(refused?.code == "registry.gates-failed" && refused?.exitCode == 2)
        #expect(try fixture.registry.models.list().isEmpty)
    }

    @Test func `the commands of its table are refused with the exit codes that it names`() throws {
        let fixture = try RegistryFixture()
        let models = fixture.registry.models
        try fixture.version(.required)
        #expect(caught { try models.promote(named("readmission@1")) }?.exitCode == 2)
        try models.reject(named("readmission@1"), reason: "no")
        #expect(caught { try models.promote(named("readmission@1")) }?.exitCode == 2)
        #expect(caught { try models.approve(named("readmission@1")) }?.code == "registry.already-rejected")
        try fixture.version(.none)
        #expect(caught { try models.approve(named("readmission@2")) }?.code == "registry.no-approval-needed")
        #expect(caught { try models.rollback("readmission") }?.exitCode == 2)
    }

    /// Statements of a program that knows nothing of Martlet: on SQLite without foreign keys, as it is unless it is told.
    @Test(arguments: [
        // Round an approval.
        "UPDATE approvals SET state = 'none' WHERE state = 'pending'",
        "UPDATE OR REPLACE approvals SET state = 'none'",
        "INSERT INTO approvals SELECT project, model, 3, 'none', NULL, NULL, NULL FROM approvals LIMIT 1",
        // A version of a run that did not pass its gates, that there is not, or with another model.
        "INSERT INTO model_versions SELECT project, model, 3, id, 0, actor, 'none', model_hash, 0 FROM runs "
            + "WHERE status = 'rejected'",
        "INSERT INTO model_versions SELECT project, model, 3, 'nothing', 0, actor, 'none', model_hash, 0 "
            + "FROM model_versions LIMIT 1",
        "INSERT INTO model_versions SELECT project, model, 3, id, 0, actor, 'none', 'x', 0 FROM runs "
            + "WHERE status = 'finished' AND id NOT IN (SELECT run FROM model_versions)",
        // What versions hang on.
        "DELETE FROM registered_models", "UPDATE registered_models SET name = 'x'",
        "DELETE FROM experiments", "UPDATE experiments SET name = 'x'",
        // Names for what may not serve.
        "INSERT INTO aliases SELECT project, model, 'candidate', 2, 0 FROM aliases",
        "UPDATE aliases SET version = 2", "UPDATE aliases SET version = 99",
        // History and recorded runs.
        "UPDATE OR REPLACE model_history SET position = position + 1", "DELETE FROM model_history",
        "UPDATE OR REPLACE runs SET id = 'x'", "DELETE FROM runs", "DELETE FROM run_metrics",
    ]) func `rules hold against any program that writes rows`(_ statement: String) throws {
        let fixture = try RegistryFixture()
        try fixture.version(.none)
        try fixture.version(.required)
        try fixture.registry.runs.record(sample(fixture.virtual.id(), status: .rejected, auc: 0.5))
        try fixture.registry.runs.record(sample(fixture.virtual.id(), seed: 7))
        let foreign = try TestDatabase.open(fixture.scratch.path)
        func state() throws -> [[SQLRow]] {
            try [
                "registered_models", "experiments", "model_versions", "approvals", "aliases", "model_history", "runs",
                "run_metrics",
            ].map { table in try foreign.read { try $0.rows("SELECT * FROM \(identifier: table)") } }
        }
        let before = try state()
        let refused = code {
            try foreign.write {
                // Foreign keys are looked at when a transaction ends, which this one never does: triggers must refuse.
                if TestDatabase.isSQLite { _ = try $0.execute("PRAGMA defer_foreign_keys = ON") }
                _ = try $0.execute(TestDatabase.foreign(statement))
                throw MartletError(.defect, "test.taken", "the statement was taken")
            }
        }
        #expect(refused == "metadata.constraint")
        #expect(try state() == before)
    }
}
