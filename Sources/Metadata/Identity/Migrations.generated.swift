// Written by scripts/embed from Sources/Metadata/Identity/Migrations. Do not edit.
// swift-format-ignore-file

internal import SQLText

extension Migration {
    /// The tables of the module, in order.
    static let identityTables: [Migration] = [
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
    "only" BIGINT NOT NULL PRIMARY KEY CHECK ("only" = 1),
    number BIGINT NOT NULL
);

INSERT INTO identity_generation ("only", number) VALUES (1, 0);

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
    ]
}
