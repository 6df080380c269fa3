-- What must never change, refused by the database itself.
--
-- SQLite's trigger language; PostgreSQL will have the same rules under the same number.
-- 1. A recorded run, with everything that hangs on it, does not change; only a running one is written to.
-- 2. A model version does not change; versions are numbered without gaps.
-- 3. History only grows, at its end and forward in time.
-- 4. An approval is decided once.
-- 5. No alias names a version that is pending or rejected.
-- Each INSERT rule also stops INSERT OR REPLACE, which deletes without asking the DELETE rules.

-- 1
CREATE TRIGGER runs_update BEFORE UPDATE ON runs
WHEN OLD.status <> 'running' OR NEW.project <> OLD.project OR NEW.id <> OLD.id
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER runs_delete BEFORE DELETE ON runs
WHEN OLD.status <> 'running'
BEGIN
    SELECT RAISE(ABORT, 'a recorded run is never deleted');
END;

CREATE TRIGGER runs_insert BEFORE INSERT ON runs
WHEN EXISTS (SELECT 1 FROM runs WHERE project = NEW.project AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'this run is already recorded');
END;

CREATE TRIGGER run_params_insert BEFORE INSERT ON run_params
WHEN NOT EXISTS (
    SELECT 1 FROM runs WHERE project = NEW.project AND id = NEW.run AND status = 'running')
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_params_update BEFORE UPDATE ON run_params
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_params_delete BEFORE DELETE ON run_params
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_metrics_insert BEFORE INSERT ON run_metrics
WHEN NOT EXISTS (
    SELECT 1 FROM runs WHERE project = NEW.project AND id = NEW.run AND status = 'running')
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_metrics_update BEFORE UPDATE ON run_metrics
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_metrics_delete BEFORE DELETE ON run_metrics
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_artifacts_insert BEFORE INSERT ON run_artifacts
WHEN NOT EXISTS (
    SELECT 1 FROM runs WHERE project = NEW.project AND id = NEW.run AND status = 'running')
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_artifacts_update BEFORE UPDATE ON run_artifacts
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_artifacts_delete BEFORE DELETE ON run_artifacts
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_gates_insert BEFORE INSERT ON run_gates
WHEN NOT EXISTS (
    SELECT 1 FROM runs WHERE project = NEW.project AND id = NEW.run AND status = 'running')
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_gates_update BEFORE UPDATE ON run_gates
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_gates_delete BEFORE DELETE ON run_gates
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_files_insert BEFORE INSERT ON run_files
WHEN NOT EXISTS (
    SELECT 1 FROM runs WHERE project = NEW.project AND id = NEW.run AND status = 'running')
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_files_update BEFORE UPDATE ON run_files
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_files_delete BEFORE DELETE ON run_files
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_tables_insert BEFORE INSERT ON run_tables
WHEN NOT EXISTS (
    SELECT 1 FROM runs WHERE project = NEW.project AND id = NEW.run AND status = 'running')
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_tables_update BEFORE UPDATE ON run_tables
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_tables_delete BEFORE DELETE ON run_tables
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_table_parents_insert BEFORE INSERT ON run_table_parents
WHEN NOT EXISTS (
    SELECT 1 FROM runs WHERE project = NEW.project AND id = NEW.run AND status = 'running')
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_table_parents_update BEFORE UPDATE ON run_table_parents
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

CREATE TRIGGER run_table_parents_delete BEFORE DELETE ON run_table_parents
BEGIN
    SELECT RAISE(ABORT, 'a recorded run never changes');
END;

-- 2
CREATE TRIGGER model_versions_insert BEFORE INSERT ON model_versions
WHEN NEW.version <> (
    SELECT COALESCE(MAX(version), 0) + 1 FROM model_versions WHERE project = NEW.project AND model = NEW.model)
    OR EXISTS (SELECT 1 FROM model_versions WHERE project = NEW.project AND run = NEW.run)
BEGIN
    SELECT RAISE(ABORT, 'versions are numbered one after the other');
END;

CREATE TRIGGER model_versions_update BEFORE UPDATE ON model_versions
BEGIN
    SELECT RAISE(ABORT, 'a model version never changes');
END;

CREATE TRIGGER model_versions_delete BEFORE DELETE ON model_versions
BEGIN
    SELECT RAISE(ABORT, 'a model version is never deleted');
END;

-- 3
CREATE TRIGGER model_history_insert BEFORE INSERT ON model_history
WHEN NEW.position <> (
    SELECT COALESCE(MAX(position), 0) + 1 FROM model_history WHERE project = NEW.project AND model = NEW.model)
    OR NEW.at < (
        SELECT COALESCE(MAX(at), NEW.at) FROM model_history WHERE project = NEW.project AND model = NEW.model)
BEGIN
    SELECT RAISE(ABORT, 'history only grows at its end');
END;

CREATE TRIGGER model_history_update BEFORE UPDATE ON model_history
BEGIN
    SELECT RAISE(ABORT, 'history never changes');
END;

CREATE TRIGGER model_history_delete BEFORE DELETE ON model_history
BEGIN
    SELECT RAISE(ABORT, 'history is never deleted');
END;

-- 4
CREATE TRIGGER approvals_insert BEFORE INSERT ON approvals
WHEN EXISTS (
    SELECT 1 FROM approvals WHERE project = NEW.project AND model = NEW.model AND version = NEW.version)
BEGIN
    SELECT RAISE(ABORT, 'an approval is decided once');
END;

CREATE TRIGGER approvals_update BEFORE UPDATE ON approvals
WHEN OLD.state <> 'pending' OR NEW.project <> OLD.project OR NEW.model <> OLD.model
    OR NEW.version <> OLD.version
BEGIN
    SELECT RAISE(ABORT, 'an approval is decided once');
END;

CREATE TRIGGER approvals_delete BEFORE DELETE ON approvals
BEGIN
    SELECT RAISE(ABORT, 'an approval is never deleted');
END;

-- 5
CREATE TRIGGER aliases_insert BEFORE INSERT ON aliases
WHEN NOT EXISTS (
    SELECT 1 FROM approvals
    WHERE project = NEW.project AND model = NEW.model AND version = NEW.version AND state IN ('none', 'approved'))
BEGIN
    SELECT RAISE(ABORT, 'an alias names only a version that may serve');
END;

CREATE TRIGGER aliases_update BEFORE UPDATE ON aliases
WHEN NOT EXISTS (
    SELECT 1 FROM approvals
    WHERE project = NEW.project AND model = NEW.model AND version = NEW.version AND state IN ('none', 'approved'))
BEGIN
    SELECT RAISE(ABORT, 'an alias names only a version that may serve');
END;
