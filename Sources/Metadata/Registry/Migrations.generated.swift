// Written by scripts/embed from Sources/Metadata/Registry/Migrations. Do not edit.
// swift-format-ignore-file

internal import SQLText

extension Migration {
    /// The tables of the module, in order.
    static let registryTables: [Migration] = [
        Migration(number: 1, name: "registry", sql: #"""
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

"""#),
        Migration(number: 3, name: "jobs", sql: #"""
-- Work handed over to worker processes, and every attempt at it.
--
-- A running job is leased: it has an owner, a token and a time until which it counts as alive. The token grows with
-- each lease, and whatever a worker writes names its token, so that one whose lease was taken over can change nothing.

CREATE TABLE jobs (
    project TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind <> ''),
    -- JSON: the words after the command.
    arguments TEXT NOT NULL,
    -- 1 when it changes tables or models: at most one such job of a project runs at a time.
    exclusive BIGINT NOT NULL CHECK (exclusive IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'finished', 'failed', 'cancelled')),
    priority BIGINT NOT NULL,
    -- How many attempts count against the allowance; one that was given back in good order does not.
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    max_attempts BIGINT NOT NULL CHECK (max_attempts >= 1),
    -- Leases so far.
    token BIGINT NOT NULL CHECK (token >= 0),
    owner TEXT,
    lease_until BIGINT,
    heartbeat BIGINT,
    -- A queued job is not leased before.
    not_before BIGINT NOT NULL,
    -- Microseconds that an attempt may take, bytes that it may use; null for the worker's own rule.
    time_limit BIGINT CHECK (time_limit > 0),
    memory_limit BIGINT CHECK (memory_limit > 0),
    progress_step TEXT,
    progress_done BIGINT,
    progress_total BIGINT,
    created BIGINT NOT NULL,
    started BIGINT,
    ended BIGINT,
    actor TEXT NOT NULL,
    -- Who cancelled it.
    cancelled_by TEXT,
    reason TEXT,
    error_code TEXT,
    exit_code BIGINT,
    signal TEXT,
    result TEXT,
    idempotency_key TEXT,
    PRIMARY KEY (project, id),
    UNIQUE (project, idempotency_key),
    CHECK ((state = 'running') = (owner IS NOT NULL)),
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK ((state IN ('finished', 'failed', 'cancelled')) = (ended IS NOT NULL)),
    CHECK (state NOT IN ('failed', 'cancelled') OR reason IS NOT NULL)
);

CREATE INDEX jobs_by_state ON jobs (project, state, not_before);
CREATE INDEX jobs_by_time ON jobs (project, created, id);

-- An attempt has the number of its token.
CREATE TABLE job_attempts (
    project TEXT NOT NULL,
    job TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    owner TEXT NOT NULL,
    process BIGINT,
    started BIGINT NOT NULL,
    ended BIGINT,
    outcome TEXT NOT NULL CHECK (
        outcome IN ('running', 'finished', 'failed', 'crashed', 'killed', 'lost', 'cancelled', 'released')),
    reason TEXT,
    error_code TEXT,
    exit_code BIGINT,
    signal TEXT,
    -- Bytes and seconds.
    peak_memory BIGINT,
    cpu_seconds DOUBLE PRECISION,
    PRIMARY KEY (project, job, attempt),
    FOREIGN KEY (project, job) REFERENCES jobs (project, id),
    CHECK ((outcome = 'running') = (ended IS NULL))
);

"""#),
        Migration(number: 4, name: "events", sql: #"""
-- The outbox: everything that happened, in the order in which it was recorded, as CloudEvents; and who has read
-- how far.
--
-- Portable SQL, with the conventions of 0001.

-- `position` counts from 1 within a project, without gaps; it is given in the transaction that the event tells of.
-- `source` and `id` together are the event's identity, as CloudEvents has it: the same happening is written once.
CREATE TABLE events (
    project TEXT NOT NULL,
    position BIGINT NOT NULL CHECK (position >= 1),
    source TEXT NOT NULL CHECK (source <> ''),
    id TEXT NOT NULL CHECK (id <> ''),
    type TEXT NOT NULL CHECK (type <> ''),
    subject TEXT NOT NULL CHECK (subject <> ''),
    time BIGINT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (project, position),
    UNIQUE (project, source, id)
);

CREATE INDEX events_by_type ON events (project, type, position);
CREATE INDEX events_by_time ON events (project, time, position);

-- How far a consumer has come: everything up to and including `position` was delivered to it.
CREATE TABLE consumers (
    project TEXT NOT NULL,
    name TEXT NOT NULL CHECK (name <> ''),
    position BIGINT NOT NULL CHECK (position >= 0),
    created BIGINT NOT NULL,
    moved BIGINT NOT NULL,
    PRIMARY KEY (project, name)
);

-- The inbox: which event a consumer has acted on, written in the transaction of the act itself.
CREATE TABLE effects (
    project TEXT NOT NULL,
    consumer TEXT NOT NULL CHECK (consumer <> ''),
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (project, consumer, source, id),
    FOREIGN KEY (project, source, id) REFERENCES events (project, source, id)
);

-- How far the log of each table has been turned into events: up to and including `version` of the table whose id is
-- `table_id`. `stamp` is what the log entry of that version looked like, by which a table made anew under the same
-- name is told apart without reading its log.
CREATE TABLE table_offsets (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    table_id TEXT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 0),
    stamp TEXT NOT NULL,
    PRIMARY KEY (project, name)
);

"""#),
        Migration(number: 9, name: "gates-judged", sql: #"""
-- What a gate held against its bound, where that is not the value: the upper end of the interval of `ece`.
ALTER TABLE run_gates ADD COLUMN judged DOUBLE PRECISION;

"""#),
        Migration(number: 10, name: "job-definitions", sql: #"""
-- What a job is, as JSON. Jobs of earlier programs have only the words of a command line, in `arguments`.
ALTER TABLE jobs ADD COLUMN definition TEXT;

"""#),
    ]
}
