-- What 0002 left open to a program that writes to the file without foreign keys, or round an approval.
--
-- SQLite's trigger language; PostgreSQL will have the same rules under the same number.
-- 1. A pending approval becomes approved or rejected and nothing else: it cannot be declared unneeded.
-- 2. An approval begins as its version's policy says.
-- 3. A version is of a run that finished, with that run's model.
-- 4. A registered model and an experiment keep their names and are never deleted.

-- 1
CREATE TRIGGER approvals_decided BEFORE UPDATE ON approvals
WHEN NEW.state NOT IN ('approved', 'rejected')
BEGIN
    SELECT RAISE(ABORT, 'a pending approval is approved or rejected');
END;

-- 2
CREATE TRIGGER approvals_begun BEFORE INSERT ON approvals
WHEN NOT EXISTS (
    SELECT 1 FROM model_versions
    WHERE project = NEW.project AND model = NEW.model AND version = NEW.version
        AND ((policy = 'none' AND NEW.state = 'none') OR (policy = 'required' AND NEW.state = 'pending')))
BEGIN
    SELECT RAISE(ABORT, 'an approval begins as the policy of its version says');
END;

-- 3
CREATE TRIGGER model_versions_of_finished_runs BEFORE INSERT ON model_versions
WHEN NOT EXISTS (
    SELECT 1 FROM runs
    WHERE project = NEW.project AND id = NEW.run AND model = NEW.model AND status = 'finished'
        AND model_hash = NEW.model_hash)
BEGIN
    SELECT RAISE(ABORT, 'a version is of a run that finished');
END;

-- 4
CREATE TRIGGER registered_models_update BEFORE UPDATE ON registered_models
BEGIN
    SELECT RAISE(ABORT, 'a registered model never changes');
END;

CREATE TRIGGER registered_models_delete BEFORE DELETE ON registered_models
BEGIN
    SELECT RAISE(ABORT, 'a registered model is never deleted');
END;

CREATE TRIGGER registered_models_insert BEFORE INSERT ON registered_models
WHEN EXISTS (SELECT 1 FROM registered_models WHERE project = NEW.project AND name = NEW.name)
BEGIN
    SELECT RAISE(IGNORE);
END;

CREATE TRIGGER experiments_update BEFORE UPDATE ON experiments
BEGIN
    SELECT RAISE(ABORT, 'an experiment never changes');
END;

CREATE TRIGGER experiments_delete BEFORE DELETE ON experiments
BEGIN
    SELECT RAISE(ABORT, 'an experiment is never deleted');
END;

CREATE TRIGGER experiments_insert BEFORE INSERT ON experiments
WHEN EXISTS (SELECT 1 FROM experiments WHERE project = NEW.project AND name = NEW.name)
BEGIN
    SELECT RAISE(IGNORE);
END;
