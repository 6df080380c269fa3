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
