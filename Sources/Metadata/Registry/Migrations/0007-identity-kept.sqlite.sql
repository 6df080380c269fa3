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
