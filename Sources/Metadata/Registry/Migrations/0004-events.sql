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
