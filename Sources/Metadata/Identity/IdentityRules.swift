internal import SQLText

// What must never change about identity, refused by the database itself.

extension TableRule {
    /// The audit, users, tokens, sessions and setup links; and that each change moves the generation.
    static let identityKept: [TableRule] =
        [
            // The audit only grows, at its end and without gaps; nothing in it is changed or deleted.
            .refuse(
                .insert, of: "audit", when: "NEW.position <> (SELECT COALESCE(MAX(position), 0) + 1 FROM audit)",
                "the audit only grows at its end"),
            .refuse(.update, of: "audit", "the audit never changes"),
            .refuse(.delete, of: "audit", "nothing in the audit is deleted"),
            // A user keeps id and name, and is never deleted: the audit names people.
            .refuse(
                .insert, of: "users", when: "EXISTS (SELECT 1 FROM users WHERE id = NEW.id OR name = NEW.name)",
                "this user is there already"),
            .refuse(
                .update, of: "users",
                when: """
                    NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.created <> OLD.created \
                    OR NEW.created_by <> OLD.created_by
                    """, "a user keeps the name"),
            .refuse(.delete, of: "users", "a user is disabled, never deleted"),
            // A token never changes but that it is revoked, once; it is never deleted.
            .refuse(
                .insert, of: "api_tokens",
                when: """
                    EXISTS (SELECT 1 FROM api_tokens WHERE id = NEW.id OR name = NEW.name OR hash = NEW.hash)
                    """, "this token is there already"),
            .refuse(
                .update, of: "api_tokens",
                when: """
                    OLD.revoked IS NOT NULL OR NEW.revoked IS NULL OR NEW.id <> OLD.id OR NEW.name <> OLD.name \
                    OR NEW.prefix <> OLD.prefix OR NEW.hash <> OLD.hash OR NEW.project IS DISTINCT \
                    FROM OLD.project OR NEW.role <> OLD.role OR NEW.created <> OLD.created \
                    OR NEW.created_by <> OLD.created_by OR NEW.expires IS DISTINCT FROM OLD.expires
                    """, "a token never changes but that it is revoked once"),
            .refuse(.delete, of: "api_tokens", "a token is revoked, never deleted"),
            // A session ends once and keeps its user and its expiry.
            .refuse(
                .insert, of: "sessions", when: "EXISTS (SELECT 1 FROM sessions WHERE id = NEW.id)",
                "this session is there already"),
            .refuse(
                .update, of: "sessions",
                when: """
                    OLD.ended IS NOT NULL OR NEW.ended IS NULL OR NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id \
                    OR NEW.created <> OLD.created OR NEW.expires <> OLD.expires
                    """, "a session never changes but that it ends once"),
            // A setup link works once.
            .refuse(
                .insert, of: "setup_links", when: "EXISTS (SELECT 1 FROM setup_links WHERE hash = NEW.hash)",
                "this setup link is there already"),
            .refuse(
                .update, of: "setup_links",
                when: """
                    OLD.used IS NOT NULL OR NEW.used IS NULL OR NEW.hash <> OLD.hash \
                    OR NEW.created <> OLD.created OR NEW.expires <> OLD.expires
                    """, "a setup link works once"),
            .refuse(.delete, of: "setup_links", "a setup link is never deleted"),
            // Every change of users, tokens and sessions moves the generation, so that no writer can forget to tell a server.
            .follow(
                .insert, of: "users", by: "UPDATE identity_generation SET number = number + 1", name: "users_inserted"),
            .follow(
                .update, of: "users", by: "UPDATE identity_generation SET number = number + 1", name: "users_updated"),
            .follow(
                .insert, of: "api_tokens", by: "UPDATE identity_generation SET number = number + 1",
                name: "api_tokens_inserted"),
            .follow(
                .update, of: "api_tokens", by: "UPDATE identity_generation SET number = number + 1",
                name: "api_tokens_updated"),
            .follow(
                .insert, of: "sessions", by: "UPDATE identity_generation SET number = number + 1",
                name: "sessions_inserted"),
            .follow(
                .update, of: "sessions", by: "UPDATE identity_generation SET number = number + 1",
                name: "sessions_updated"),
            .follow(
                .delete, of: "sessions", by: "UPDATE identity_generation SET number = number + 1",
                name: "sessions_deleted"),
            .refuse(.insert, of: "identity_generation", "there is one generation"),
            .refuse(
                .update, of: "identity_generation", when: "NEW.number <= OLD.number OR NEW.only <> OLD.only",
                "the generation only grows"),
            .refuse(.delete, of: "identity_generation", "the generation is never deleted"),
        ]
}
