import Core
import Registry
import SQLText
import SQLite
import TestSupport
import Testing

struct ImmutabilityTests {
    @Test(arguments: [
        "UPDATE model_versions SET model_hash = 'x'",
        "UPDATE model_versions SET created = 0",
        "DELETE FROM model_versions",
        "INSERT OR REPLACE INTO model_versions "
            + "SELECT project, model, version, run, 0, actor, policy, model_hash, 1 FROM model_versions",
        "INSERT OR REPLACE INTO model_versions "
            + "SELECT project, model, 3, run, 0, actor, policy, model_hash, 1 FROM model_versions WHERE version = 1",
        "INSERT INTO model_versions "
            + "SELECT project, model, 9, 'r', 0, actor, policy, model_hash, 1 FROM model_versions WHERE version = 1",
        "UPDATE model_history SET actor = 'mallory'",
        "DELETE FROM model_history",
        "INSERT OR REPLACE INTO model_history "
            + "SELECT project, model, position, event, cause, version, alias, previous, at, 'mallory', reason "
            + "FROM model_history",
        "INSERT INTO model_history "
            + "SELECT project, model, position + 100, event, cause, version, alias, previous, 0, actor, reason "
            + "FROM model_history",
        "UPDATE approvals SET state = 'approved', decided = 0, actor = 'mallory' WHERE version = 1",
        "DELETE FROM approvals",
        "INSERT OR REPLACE INTO approvals SELECT project, model, version, 'pending', NULL, NULL, NULL FROM approvals",
        "UPDATE aliases SET version = 2",
        "INSERT INTO aliases SELECT project, model, 'candidate', 2, 0 FROM aliases",
        "INSERT INTO aliases SELECT project, model, 'newest', 1, 0 FROM aliases",
        "UPDATE runs SET status = 'running', ended = NULL",
        "UPDATE runs SET seed = 1",
        "INSERT OR REPLACE INTO runs "
            + "SELECT project, id, experiment, model, status, started, ended, actor, 9, fingerprint, synthetic, "
            + "error, model_hash FROM runs",
        "DELETE FROM runs",
        "UPDATE run_metrics SET value = 1",
        "DELETE FROM run_metrics",
        "INSERT INTO run_metrics SELECT project, run, 'test', 'f1', -1, 1, 1, 1 FROM run_metrics LIMIT 1",
        "INSERT OR REPLACE INTO run_metrics SELECT project, run, part, name, fold, 1, 1, 1 FROM run_metrics",
        "UPDATE run_params SET value = '1'", "DELETE FROM run_params",
        "UPDATE run_gates SET passed = 1", "DELETE FROM run_gates",
        "UPDATE run_artifacts SET digest = 'x'", "DELETE FROM run_artifacts",
        "UPDATE run_files SET digest = 'x'", "DELETE FROM run_files",
        "UPDATE run_tables SET hash = 'x'", "DELETE FROM run_tables",
        "UPDATE run_table_parents SET parent_snapshot = 9", "DELETE FROM run_table_parents",
    ])
    func `the database itself refuses`(_ statement: String) throws {
        let fixture = try RegistryFixture()
        try fixture.version(.none)
        try fixture.version(.required)
        let models = fixture.registry.models
        let before = try (models.show(named("readmission@1")), models.history("readmission"))
        let error = caught { try fixture.database.write { _ = try $0.execute(TestDatabase.foreign(statement)) } }
        #expect(error?.code == "metadata.constraint")
        #expect(try models.show(named("readmission@1")) == before.0)
        #expect(try models.history("readmission") == before.1)
    }
}
