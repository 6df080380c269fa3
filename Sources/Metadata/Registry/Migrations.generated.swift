// Written by scripts/embed from Sources/Metadata/Registry/Migrations. Do not edit.
// swift-format-ignore-file

internal import SQLText

extension Migration {
    /// The schema of the registry, in order.
    static let registry: [Migration] = [
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
        Migration(number: 2, name: "immutable", dialect: .sqlite, sql: #"""
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
        Migration(number: 5, name: "events-kept", dialect: .sqlite, sql: #"""
-- What must never change about events, refused by the database itself.
--
-- SQLite's trigger language; PostgreSQL will have the same rules under the same number.
-- 1. Events only grow, at their end and without gaps; none is written twice, changed or deleted.
-- 2. No consumer is further than the events are.
-- 3. An effect happened once and stays.
-- Each INSERT rule also stops INSERT OR REPLACE, which deletes without asking the DELETE rules.

-- 1
CREATE TRIGGER events_insert BEFORE INSERT ON events
WHEN NEW.position <> (SELECT COALESCE(MAX(position), 0) + 1 FROM events WHERE project = NEW.project)
    OR EXISTS (SELECT 1 FROM events WHERE project = NEW.project AND source = NEW.source AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'events only grow at their end');
END;

CREATE TRIGGER events_update BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'an event never changes');
END;

CREATE TRIGGER events_delete BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'an event is never deleted');
END;

-- 2
CREATE TRIGGER consumers_insert BEFORE INSERT ON consumers
WHEN NEW.position > (SELECT COALESCE(MAX(position), 0) FROM events WHERE project = NEW.project)
BEGIN
    SELECT RAISE(ABORT, 'a consumer cannot be ahead of the events');
END;

CREATE TRIGGER consumers_update BEFORE UPDATE ON consumers
WHEN NEW.position > (SELECT COALESCE(MAX(position), 0) FROM events WHERE project = NEW.project)
BEGIN
    SELECT RAISE(ABORT, 'a consumer cannot be ahead of the events');
END;

-- 3
CREATE TRIGGER effects_insert BEFORE INSERT ON effects
WHEN EXISTS (
    SELECT 1 FROM effects
    WHERE project = NEW.project AND consumer = NEW.consumer AND source = NEW.source AND id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'an effect happens once');
END;

CREATE TRIGGER effects_update BEFORE UPDATE ON effects
BEGIN
    SELECT RAISE(ABORT, 'an effect never changes');
END;

CREATE TRIGGER effects_delete BEFORE DELETE ON effects
BEGIN
    SELECT RAISE(ABORT, 'an effect is never deleted');
END;

"""#),
        Migration(number: 6, name: "identity", sql: #"""
-- Who may do what: people, API tokens, sessions, and the record of every change.
--
-- Portable SQL. Of whole secrets only digests are kept: of a password its scrypt, of a token, a session's cookie and a
-- setup link SHA-256. One database's people and tokens are one server's, whatever number of projects it serves.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'approver', 'admin')),
    password TEXT NOT NULL,
    created BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    disabled BIGINT
);

-- project is null where a token is for every project of its server; expires is null where it is for good.
CREATE TABLE api_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    project TEXT,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'approver', 'admin')),
    created BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires BIGINT,
    revoked BIGINT,
    revoked_by TEXT,
    CHECK ((revoked IS NULL) = (revoked_by IS NULL))
);

-- Apart from the tokens, so that a use does not look like a change of them.
CREATE TABLE api_token_uses (
    token TEXT NOT NULL PRIMARY KEY,
    last_used BIGINT NOT NULL,
    FOREIGN KEY (token) REFERENCES api_tokens (id)
);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    ended BIGINT,
    FOREIGN KEY (user_id) REFERENCES users (id)
);

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires);

CREATE TABLE setup_links (
    hash TEXT NOT NULL PRIMARY KEY,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used BIGINT
);

-- Grows with every change that a server must know of: one row, one number.
CREATE TABLE identity_generation (
    only BIGINT NOT NULL PRIMARY KEY CHECK (only = 1),
    number BIGINT NOT NULL
);

INSERT INTO identity_generation (only, number) VALUES (1, 0);

-- What was changed by whom, in order and for ever. was and became are JSON; request is the id of an HTTP request.
CREATE TABLE audit (
    position BIGINT NOT NULL PRIMARY KEY CHECK (position >= 1),
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    project TEXT,
    was TEXT,
    became TEXT,
    request TEXT
);

CREATE INDEX audit_by_subject ON audit (subject, position);
CREATE INDEX audit_by_actor ON audit (actor, position);

-- Requests that carry an Idempotency-Key: written in the transaction of what they do, so that a second one with the
-- same key does nothing. status and answer are null until the answer is known.
CREATE TABLE request_keys (
    project TEXT NOT NULL,
    actor TEXT NOT NULL,
    request_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    created BIGINT NOT NULL,
    status BIGINT,
    answer TEXT,
    PRIMARY KEY (project, actor, request_key),
    CHECK ((status IS NULL) = (answer IS NULL))
);

CREATE INDEX request_keys_by_time ON request_keys (created);

"""#),
        Migration(number: 7, name: "identity-kept", dialect: .sqlite, sql: #"""
-- What must never change about identity, refused by the database itself.
--
-- SQLite's trigger language; PostgreSQL will have the same rules under the same number.
-- 1. The audit only grows, at its end and without gaps; nothing in it is changed or deleted.
-- 2. A user keeps id and name, and is never deleted: the audit names people.
-- 3. A token never changes but that it is revoked, once; it is never deleted.
-- 4. A session ends once and keeps its user and its expiry.
-- 5. A setup link works once.
-- 6. Every change of users, tokens and sessions moves the generation, so that no writer can forget to tell a server.
-- Each INSERT rule also stops INSERT OR REPLACE, which deletes without asking the DELETE rules.

-- 1
CREATE TRIGGER audit_insert BEFORE INSERT ON audit
WHEN NEW.position <> (SELECT COALESCE(MAX(position), 0) + 1 FROM audit)
BEGIN
    SELECT RAISE(ABORT, 'the audit only grows at its end');
END;

CREATE TRIGGER audit_update BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit never changes');
END;

CREATE TRIGGER audit_delete BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'nothing in the audit is deleted');
END;

-- 2
CREATE TRIGGER users_insert BEFORE INSERT ON users
WHEN EXISTS (SELECT 1 FROM users WHERE id = NEW.id OR name = NEW.name)
BEGIN
    SELECT RAISE(ABORT, 'this user is there already');
END;

CREATE TRIGGER users_update BEFORE UPDATE ON users
WHEN NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.created <> OLD.created OR NEW.created_by <> OLD.created_by
BEGIN
    SELECT RAISE(ABORT, 'a user keeps the name');
END;

CREATE TRIGGER users_delete BEFORE DELETE ON users
BEGIN
    SELECT RAISE(ABORT, 'a user is disabled, never deleted');
END;

-- 3
CREATE TRIGGER api_tokens_insert BEFORE INSERT ON api_tokens
WHEN EXISTS (SELECT 1 FROM api_tokens WHERE id = NEW.id OR name = NEW.name OR hash = NEW.hash)
BEGIN
    SELECT RAISE(ABORT, 'this token is there already');
END;

CREATE TRIGGER api_tokens_update BEFORE UPDATE ON api_tokens
WHEN OLD.revoked IS NOT NULL OR NEW.revoked IS NULL OR NEW.id <> OLD.id OR NEW.name <> OLD.name
    OR NEW.prefix <> OLD.prefix OR NEW.hash <> OLD.hash OR NEW.project IS NOT OLD.project OR NEW.role <> OLD.role
    OR NEW.created <> OLD.created OR NEW.created_by <> OLD.created_by OR NEW.expires IS NOT OLD.expires
BEGIN
    SELECT RAISE(ABORT, 'a token never changes but that it is revoked once');
END;

CREATE TRIGGER api_tokens_delete BEFORE DELETE ON api_tokens
BEGIN
    SELECT RAISE(ABORT, 'a token is revoked, never deleted');
END;

-- 4
CREATE TRIGGER sessions_insert BEFORE INSERT ON sessions
WHEN EXISTS (SELECT 1 FROM sessions WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'this session is there already');
END;

CREATE TRIGGER sessions_update BEFORE UPDATE ON sessions
WHEN OLD.ended IS NOT NULL OR NEW.ended IS NULL OR NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id
    OR NEW.created <> OLD.created OR NEW.expires <> OLD.expires
BEGIN
    SELECT RAISE(ABORT, 'a session never changes but that it ends once');
END;

-- 5
CREATE TRIGGER setup_links_insert BEFORE INSERT ON setup_links
WHEN EXISTS (SELECT 1 FROM setup_links WHERE hash = NEW.hash)
BEGIN
    SELECT RAISE(ABORT, 'this setup link is there already');
END;

CREATE TRIGGER setup_links_update BEFORE UPDATE ON setup_links
WHEN OLD.used IS NOT NULL OR NEW.used IS NULL OR NEW.hash <> OLD.hash OR NEW.created <> OLD.created
    OR NEW.expires <> OLD.expires
BEGIN
    SELECT RAISE(ABORT, 'a setup link works once');
END;

CREATE TRIGGER setup_links_delete BEFORE DELETE ON setup_links
BEGIN
    SELECT RAISE(ABORT, 'a setup link is never deleted');
END;

-- 6
CREATE TRIGGER users_inserted AFTER INSERT ON users
BEGIN
    UPDATE identity_generation SET number = number + 1;
END;

CREATE TRIGGER users_updated AFTER UPDATE ON users
BEGIN
    UPDATE identity_generation SET number = number + 1;
END;

CREATE TRIGGER api_tokens_inserted AFTER INSERT ON api_tokens
BEGIN
    UPDATE identity_generation SET number = number + 1;
END;

CREATE TRIGGER api_tokens_updated AFTER UPDATE ON api_tokens
BEGIN
    UPDATE identity_generation SET number = number + 1;
END;

CREATE TRIGGER sessions_inserted AFTER INSERT ON sessions
BEGIN
    UPDATE identity_generation SET number = number + 1;
END;

CREATE TRIGGER sessions_updated AFTER UPDATE ON sessions
BEGIN
    UPDATE identity_generation SET number = number + 1;
END;

CREATE TRIGGER sessions_deleted AFTER DELETE ON sessions
BEGIN
    UPDATE identity_generation SET number = number + 1;
END;

CREATE TRIGGER identity_generation_insert BEFORE INSERT ON identity_generation
BEGIN
    SELECT RAISE(ABORT, 'there is one generation');
END;

CREATE TRIGGER identity_generation_update BEFORE UPDATE ON identity_generation
WHEN NEW.number <= OLD.number OR NEW.only <> OLD.only
BEGIN
    SELECT RAISE(ABORT, 'the generation only grows');
END;

CREATE TRIGGER identity_generation_delete BEFORE DELETE ON identity_generation
BEGIN
    SELECT RAISE(ABORT, 'the generation is never deleted');
END;

"""#),
        Migration(number: 8, name: "decisions-kept", dialect: .sqlite, sql: #"""
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

"""#),
        Migration(number: 9, name: "gates-judged", sql: #"""
-- What a gate held against its bound, where that is not the value: the upper end of the interval of `ece`.
ALTER TABLE run_gates ADD COLUMN judged DOUBLE PRECISION;

"""#),
    ]
}
