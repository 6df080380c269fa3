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
