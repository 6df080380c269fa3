internal import SQLText

// What must never change, refused by the database itself: the rules of the migrations that hold no tables.

extension TableRule {
    /// What hangs on a run, written while it is running.
    private static let runParts = [
        "run_params", "run_metrics", "run_artifacts", "run_gates", "run_files", "run_tables", "run_table_parents",
    ]

    /// Recorded runs, versions, history, approvals and aliases.
    static let immutable: [TableRule] =
        [
            // A recorded run, with everything that hangs on it, does not change; only a running one is written to.
            .refuse(
                .update, of: "runs",
                when: """
                    OLD.status <> 'running' OR NEW.project <> OLD.project OR NEW.id <> OLD.id
                    """, "a recorded run never changes"),
            .refuse(.delete, of: "runs", when: "OLD.status <> 'running'", "a recorded run is never deleted"),
            .refuse(
                .insert, of: "runs",
                when: """
                    EXISTS (SELECT 1 FROM runs WHERE project = NEW.project AND id = NEW.id)
                    """, "this run is already recorded"),
            // A model version does not change; versions are numbered without gaps.
            .refuse(
                .insert, of: "model_versions",
                when: """
                    NEW.version <> (SELECT COALESCE(MAX(version), 0) + 1 FROM model_versions \
                    WHERE project = NEW.project AND model = NEW.model) OR EXISTS (SELECT 1 FROM model_versions \
                    WHERE project = NEW.project AND run = NEW.run)
                    """, "versions are numbered one after the other"),
            .refuse(.update, of: "model_versions", "a model version never changes"),
            .refuse(.delete, of: "model_versions", "a model version is never deleted"),
            // History only grows, at its end and forward in time.
            .refuse(
                .insert, of: "model_history",
                when: """
                    NEW.position <> (SELECT COALESCE(MAX(position), 0) + 1 FROM model_history \
                    WHERE project = NEW.project AND model = NEW.model) \
                    OR NEW.at < (SELECT COALESCE(MAX(at), NEW.at) FROM model_history WHERE project = NEW.project \
                    AND model = NEW.model)
                    """, "history only grows at its end"),
            .refuse(.update, of: "model_history", "history never changes"),
            .refuse(.delete, of: "model_history", "history is never deleted"),
            // An approval is decided once.
            .refuse(
                .insert, of: "approvals",
                when: """
                    EXISTS (SELECT 1 FROM approvals WHERE project = NEW.project AND model = NEW.model \
                    AND version = NEW.version)
                    """, "an approval is decided once"),
            .refuse(
                .update, of: "approvals",
                when: """
                    OLD.state <> 'pending' OR NEW.project <> OLD.project OR NEW.model <> OLD.model \
                    OR NEW.version <> OLD.version
                    """, "an approval is decided once"),
            .refuse(.delete, of: "approvals", "an approval is never deleted"),
            // No alias names a version that is pending or rejected.
            .refuse(
                .insert, of: "aliases",
                when: """
                    NOT EXISTS (SELECT 1 FROM approvals WHERE project = NEW.project AND model = NEW.model \
                    AND version = NEW.version AND state IN ('none', 'approved'))
                    """, "an alias names only a version that may serve"),
            .refuse(
                .update, of: "aliases",
                when: """
                    NOT EXISTS (SELECT 1 FROM approvals WHERE project = NEW.project AND model = NEW.model \
                    AND version = NEW.version AND state IN ('none', 'approved'))
                    """, "an alias names only a version that may serve"),
        ]
        + runParts.flatMap { table in
            [
                .refuse(
                    .insert, of: table,
                    when:
                        "NOT EXISTS (SELECT 1 FROM runs WHERE project = NEW.project AND id = NEW.run AND status = 'running')",
                    "a recorded run never changes"),
                .refuse(.update, of: table, "a recorded run never changes"),
                .refuse(.delete, of: table, "a recorded run never changes"),
            ]
        }

    /// Events, consumers and effects.
    static let eventsKept: [TableRule] =
        [
            // Events only grow, at their end and without gaps; none is written twice, changed or deleted.
            .refuse(
                .insert, of: "events",
                when: """
                    NEW.position <> (SELECT COALESCE(MAX(position), 0) + 1 FROM events \
                    WHERE project = NEW.project) OR EXISTS (SELECT 1 FROM events WHERE project = NEW.project \
                    AND source = NEW.source AND id = NEW.id)
                    """, "events only grow at their end"),
            .refuse(.update, of: "events", "an event never changes"),
            .refuse(.delete, of: "events", "an event is never deleted"),
            // No consumer is further than the events are.
            .refuse(
                .insert, of: "consumers",
                when: """
                    NEW.position > (SELECT COALESCE(MAX(position), 0) FROM events WHERE project = NEW.project)
                    """, "a consumer cannot be ahead of the events"),
            .refuse(
                .update, of: "consumers",
                when: """
                    NEW.position > (SELECT COALESCE(MAX(position), 0) FROM events WHERE project = NEW.project)
                    """, "a consumer cannot be ahead of the events"),
            // An effect happened once and stays.
            .refuse(
                .insert, of: "effects",
                when: """
                    EXISTS (SELECT 1 FROM effects WHERE project = NEW.project AND consumer = NEW.consumer \
                    AND source = NEW.source AND id = NEW.id)
                    """, "an effect happens once"),
            .refuse(.update, of: "effects", "an effect never changes"),
            .refuse(.delete, of: "effects", "an effect is never deleted"),
        ]

    /// What `immutable` left open to a program that writes to the database by itself.
    static let decisionsKept: [TableRule] =
        [
            // A pending approval becomes approved or rejected and nothing else: it cannot be declared unneeded.
            .refuse(
                .update, of: "approvals", when: "NEW.state NOT IN ('approved', 'rejected')",
                "a pending approval is approved or rejected", name: "approvals_decided"),
            // An approval begins as its version's policy says.
            .refuse(
                .insert, of: "approvals",
                when: """
                    NOT EXISTS (SELECT 1 FROM model_versions WHERE project = NEW.project AND model = NEW.model \
                    AND version = NEW.version AND ((policy = 'none' AND NEW.state = 'none') \
                    OR (policy = 'required' AND NEW.state = 'pending')))
                    """, "an approval begins as the policy of its version says", name: "approvals_begun"),
            // A version is of a run that finished, with that run's model.
            .refuse(
                .insert, of: "model_versions",
                when: """
                    NOT EXISTS (SELECT 1 FROM runs WHERE project = NEW.project AND id = NEW.run \
                    AND model = NEW.model AND status = 'finished' AND model_hash = NEW.model_hash)
                    """, "a version is of a run that finished", name: "model_versions_of_finished_runs"),
            .refuse(.update, of: "registered_models", "a registered model never changes"),
            .refuse(.delete, of: "registered_models", "a registered model is never deleted"),
            .passOver(
                insertOf: "registered_models",
                when: """
                    EXISTS (SELECT 1 FROM registered_models WHERE project = NEW.project AND name = NEW.name)
                    """),
            .refuse(.update, of: "experiments", "an experiment never changes"),
            .refuse(.delete, of: "experiments", "an experiment is never deleted"),
            .passOver(
                insertOf: "experiments",
                when: """
                    EXISTS (SELECT 1 FROM experiments WHERE project = NEW.project AND name = NEW.name)
                    """),
        ]
}
