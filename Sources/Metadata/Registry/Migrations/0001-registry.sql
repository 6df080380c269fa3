-- Steps, file digests, experiments, runs, registered models and their history.
--
-- Portable SQL. Times are microseconds since 1970 in UTC, truth values 0 and 1, digests SHA-256 in hexadecimal.
-- Every table is keyed by its project first, so that one database can hold several.

-- The last execution of each step of the path: a finished one with the same fingerprint is not redone.
CREATE TABLE steps (
    project TEXT NOT NULL,
    step TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'finished')),
    started BIGINT NOT NULL,
    ended BIGINT,
    result TEXT,
    PRIMARY KEY (project, step),
    CHECK ((status = 'finished') = (ended IS NOT NULL AND result IS NOT NULL))
);

-- What is known of a file without reading it again.
CREATE TABLE files (
    project TEXT NOT NULL,
    path TEXT NOT NULL,
    size BIGINT NOT NULL,
    mtime_ns BIGINT NOT NULL,
    ctime_ns BIGINT NOT NULL,
    inode BIGINT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (project, path)
);

CREATE TABLE experiments (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (project, name)
);

CREATE TABLE runs (
    project TEXT NOT NULL,
    id TEXT NOT NULL,
    experiment TEXT NOT NULL,
    model TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed', 'rejected')),
    started BIGINT NOT NULL,
    ended BIGINT,
    actor TEXT NOT NULL,
    seed BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    synthetic BIGINT NOT NULL CHECK (synthetic IN (0, 1)),
    error TEXT,
    model_hash TEXT,
    PRIMARY KEY (project, id),
    FOREIGN KEY (project, experiment) REFERENCES experiments (project, name),
    CHECK ((status = 'running') = (ended IS NULL))
);

CREATE INDEX runs_by_time ON runs (project, started, id);
CREATE INDEX runs_by_model ON runs (project, model, started, id);

CREATE TABLE run_params (
    project TEXT NOT NULL,
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (project, run, name),
    FOREIGN KEY (project, run) REFERENCES runs (project, id)
);

-- fold -1 is the figure of the whole part; value is null where the metric is undefined.
CREATE TABLE run_metrics (
    project TEXT NOT NULL,
    run TEXT NOT NULL,
    part TEXT NOT NULL,
    name TEXT NOT NULL,
    fold BIGINT NOT NULL CHECK (fold >= -1),
    value DOUBLE PRECISION,
    low DOUBLE PRECISION,
    high DOUBLE PRECISION,
    PRIMARY KEY (project, run, part, name, fold),
    FOREIGN KEY (project, run) REFERENCES runs (project, id)
);

CREATE TABLE run_artifacts (
    project TEXT NOT NULL,
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    bytes BIGINT NOT NULL CHECK (bytes >= 0),
    media_type TEXT NOT NULL,
    PRIMARY KEY (project, run, name),
    FOREIGN KEY (project, run) REFERENCES runs (project, id)
);

CREATE TABLE run_gates (
    project TEXT NOT NULL,
    run TEXT NOT NULL,
    position BIGINT NOT NULL,
    part TEXT NOT NULL,
    metric TEXT NOT NULL,
    comparator TEXT NOT NULL CHECK (comparator IN ('at_least', 'at_most')),
    bound DOUBLE PRECISION NOT NULL,
    value DOUBLE PRECISION,
    passed BIGINT NOT NULL CHECK (passed IN (0, 1)),
    PRIMARY KEY (project, run, position),
    FOREIGN KEY (project, run) REFERENCES runs (project, id)
);

-- Lineage: the landed files a run stands on, the tables between, and which table was made from which.
CREATE TABLE run_files (
    project TEXT NOT NULL,
    run TEXT NOT NULL,
    source TEXT NOT NULL,
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    synthetic BIGINT NOT NULL CHECK (synthetic IN (0, 1)),
    PRIMARY KEY (project, run, source, digest),
    FOREIGN KEY (project, run) REFERENCES runs (project, id)
);

CREATE TABLE run_tables (
    project TEXT NOT NULL,
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    snapshot BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (project, run, name),
    FOREIGN KEY (project, run) REFERENCES runs (project, id)
);

CREATE TABLE run_table_parents (
    project TEXT NOT NULL,
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    parent TEXT NOT NULL,
    parent_snapshot BIGINT NOT NULL,
    PRIMARY KEY (project, run, name, parent),
    FOREIGN KEY (project, run, name) REFERENCES run_tables (project, run, name)
);

CREATE TABLE registered_models (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (project, name)
);

CREATE TABLE model_versions (
    project TEXT NOT NULL,
    model TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    run TEXT NOT NULL,
    created BIGINT NOT NULL,
    actor TEXT NOT NULL,
    policy TEXT NOT NULL CHECK (policy IN ('none', 'required')),
    model_hash TEXT NOT NULL,
    synthetic BIGINT NOT NULL CHECK (synthetic IN (0, 1)),
    PRIMARY KEY (project, model, version),
    UNIQUE (project, run),
    FOREIGN KEY (project, model) REFERENCES registered_models (project, name),
    FOREIGN KEY (project, run) REFERENCES runs (project, id)
);

-- What moves: where each version's approval stands, and which version each alias names.
CREATE TABLE approvals (
    project TEXT NOT NULL,
    model TEXT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('none', 'pending', 'approved', 'rejected')),
    decided BIGINT,
    actor TEXT,
    reason TEXT,
    PRIMARY KEY (project, model, version),
    FOREIGN KEY (project, model, version) REFERENCES model_versions (project, model, version),
    CHECK ((state IN ('approved', 'rejected')) = (decided IS NOT NULL AND actor IS NOT NULL)),
    CHECK (state <> 'rejected' OR (reason IS NOT NULL AND reason <> ''))
);

CREATE TABLE aliases (
    project TEXT NOT NULL,
    model TEXT NOT NULL,
    alias TEXT NOT NULL CHECK (alias IN ('champion', 'candidate')),
    version BIGINT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (project, model, alias),
    FOREIGN KEY (project, model, version) REFERENCES model_versions (project, model, version)
);

-- Every move, in order, for ever. `position` counts from 1 within a model.
CREATE TABLE model_history (
    project TEXT NOT NULL,
    model TEXT NOT NULL,
    position BIGINT NOT NULL CHECK (position >= 1),
    event TEXT NOT NULL CHECK (event IN ('registered', 'approved', 'rejected', 'alias-set', 'alias-removed')),
    cause TEXT NOT NULL CHECK (cause IN ('registration', 'approval', 'rejection', 'promotion', 'rollback')),
    version BIGINT NOT NULL,
    alias TEXT,
    previous BIGINT,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (project, model, position),
    FOREIGN KEY (project, model, version) REFERENCES model_versions (project, model, version),
    CHECK ((event IN ('alias-set', 'alias-removed')) = (alias IS NOT NULL))
);
