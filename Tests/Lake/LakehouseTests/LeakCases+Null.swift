// A moment that may be null bounds nothing where it is. In these logs every column may be null but keys and event times.

extension LeakCase {
    private static func joined(_ condition: String, _ feature: String = "sum(h.n_steps)") -> String {
        """
        SELECT w.experiment_id, w.submitted_ts, w.delayed, \(feature) AS x FROM bronze.workflow_logs w
        JOIN bronze.workflow_logs h ON h.scientist_id = w.scientist_id AND \(condition) GROUP BY ALL
        """
    }

    /// Of one other experiment, whenever it was submitted.
    private static func beside(_ feature: String) -> String {
        column(feature, "FROM bronze.workflow_logs w JOIN bronze.workflow_logs h ON h.experiment_id = w.required_units")
    }

    /// A table of its own, joined where its moment `t` is not after the submission.
    private static func table(
        _ query: String, on condition: String = "g.t <= w.submitted_ts", _ feature: String = "g.x"
    ) -> String {
        """
        WITH g AS (\(query)) SELECT w.experiment_id, w.submitted_ts, w.delayed, \(feature) AS x
        FROM bronze.workflow_logs w JOIN g ON g.scientist_id = w.scientist_id AND \(condition)
        """
    }

    private static func window(_ order: String, _ frame: String, where condition: String = "true") -> String {
        table(
            "SELECT scientist_id, actual_end_ts AS t, sum(n_steps) OVER (PARTITION BY scientist_id ORDER BY \(order) \(frame)) AS x FROM bronze.workflow_logs WHERE \(condition)"
        )
    }

    private static let later = "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"
    private static let earlier = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"

    static let nullLeaks: [LeakCase] = [
        .leak(
            "the latest of some of the rows, the sum of all", "leak.future-rows",
            table(
                "SELECT scientist_id, max(CASE WHEN priority = 'High' THEN submitted_ts END) AS t, sum(n_steps) AS x FROM bronze.workflow_logs GROUP BY 1"
            )),
        .leak(
            "the same, ELSE NULL", "leak.future-rows",
            table(
                "SELECT scientist_id, max(CASE WHEN priority = 'High' THEN NULL ELSE submitted_ts END) AS t, sum(n_steps) AS x FROM bronze.workflow_logs GROUP BY 1"
            )),
        .leak(
            "the CASE named before", "leak.future-rows",
            table(
                "WITH e AS (SELECT *, CASE WHEN priority = 'High' THEN submitted_ts END AS high_ts FROM bronze.workflow_logs) SELECT scientist_id, max(high_ts) AS t, sum(n_steps) AS x FROM e GROUP BY 1"
            )),
        .leak(
            "groups by a CASE without ELSE", "leak.future-rows",
            table(
                "SELECT scientist_id, CASE WHEN priority = 'High' THEN submitted_ts END AS t, sum(n_steps) AS x FROM bronze.workflow_logs GROUP BY ALL",
                on: "true", "CASE WHEN g.t > w.submitted_ts THEN 0 ELSE g.x END")),
        .leak(
            "partitions by a CASE without ELSE", "leak.future-rows",
            column(
                "sum(w.n_steps) OVER (PARTITION BY w.scientist_id, CASE WHEN w.priority = 'High' THEN w.submitted_ts END)"
            )),
        .leak(
            "least skips null", "leak.future-rows",
            joined(
                "h.submitted_ts <= least(TIMESTAMP '2030-01-01', CASE WHEN w.n_steps > 3 THEN w.submitted_ts END)")),
        .leak(
            "the latest end, of rows that have not ended too", "leak.future-rows",
            table(
                "SELECT scientist_id, max(actual_end_ts) AS t, sum(n_steps) AS x FROM bronze.workflow_logs GROUP BY 1"),
            "n_steps"),
        .leak(
            "long ago where it has not ended", "leak.future-rows",
            joined("coalesce(h.actual_end_ts, TIMESTAMP '2000-01-01') <= w.submitted_ts")),
        .leak(
            "the greatest of those that are there", "leak.future-rows",
            joined("greatest(h.actual_end_ts, TIMESTAMP '2000-01-01') <= w.submitted_ts")),
        .leak(
            "a falling order, nulls at its end", "leak.future-column", window("actual_end_ts DESC", later)),
        .leak(
            "a rising order, nulls at its start", "leak.future-column",
            window("actual_end_ts NULLS FIRST", earlier)),
        .leak(
            "ELSE, for what has not ended as well", "leak.future-rows",
            beside("CASE WHEN h.actual_end_ts > w.submitted_ts THEN 0 ELSE h.n_steps END")),
        .leak(
            "the same with an outcome", "leak.future-column",
            beside("CASE WHEN h.actual_end_ts > w.submitted_ts THEN 0 ELSE h.delay_min END")),
        .leak(
            "ELSE of a NOT", "leak.future-rows",
            beside("CASE WHEN NOT h.actual_end_ts <= w.submitted_ts THEN 0 ELSE h.n_steps END")),
        .leak(
            "false, not null, by a second condition", "leak.future-rows",
            beside("h.actual_end_ts <= w.submitted_ts AND h.n_steps > 3")),
        .leak(
            "true where the first part is null", "leak.future-rows",
            joined("(h.actual_end_ts > w.submitted_ts OR h.n_steps > 3)")),
        .leak(
            "one of two guards is missing", "leak.future-rows",
            joined(
                "(h.actual_end_ts <= w.submitted_ts AND h.priority = 'High' OR coalesce(h.actual_end_ts, TIMESTAMP '2000-01-01') <= w.submitted_ts AND h.priority = 'Low')"
            )),
        .leak(
            "two ends that may both be null", "leak.future-column",
            table(
                "SELECT a.scientist_id, b.submitted_ts AS t, sum(a.n_steps) AS x FROM bronze.workflow_logs a JOIN bronze.workflow_logs b ON a.actual_end_ts IS NOT DISTINCT FROM b.actual_end_ts WHERE coalesce(b.actual_end_ts, TIMESTAMP '2000-01-01') <= b.submitted_ts GROUP BY ALL"
            )),
        .leak(
            "a text that is null where its part is", "leak.future-rows",
            column("sum(w.n_steps) OVER (PARTITION BY w.experiment_id || w.reagent_id)")),
    ]

    static let nullFine: [LeakCase] = [
        .fine(
            "the latest of all",
            table("SELECT scientist_id, max(submitted_ts) AS t, sum(n_steps) AS x FROM bronze.workflow_logs GROUP BY 1")
        ),
        .fine(
            "the latest of all, twice",
            table(
                "WITH a AS (SELECT scientist_id, priority, max(submitted_ts) AS s, sum(n_steps) AS n FROM bronze.workflow_logs GROUP BY ALL) SELECT scientist_id, max(s) AS t, sum(n) AS x FROM a GROUP BY 1"
            )),
        .fine(
            "the latest of some, the sum of the same",
            table(
                "SELECT scientist_id, max(submitted_ts) AS t, sum(n_steps) AS x FROM bronze.workflow_logs WHERE priority = 'High' GROUP BY 1"
            )),
        .fine(
            "the latest end of what has ended",
            table(
                "SELECT scientist_id, max(actual_end_ts) AS t, sum(n_steps) AS x, avg(delay_min) AS y FROM bronze.workflow_logs WHERE actual_end_ts IS NOT NULL GROUP BY 1",
                "g.x + g.y")),
        .fine(
            "long ago where it has not ended, but it has",
            joined(
                "h.actual_end_ts IS NOT NULL AND coalesce(h.actual_end_ts, TIMESTAMP '2000-01-01') <= w.submitted_ts")),
        .fine(
            "its submission where it has not ended",
            joined("coalesce(h.actual_end_ts, h.submitted_ts) <= w.submitted_ts")),
        .fine("both are over", joined("greatest(h.actual_end_ts, h.submitted_ts) <= w.submitted_ts")),
        .fine("a guard at both", joined("h.submitted_ts <= least(w.submitted_ts, w.planned_start_ts)")),
        .fine("a rising order", window("actual_end_ts", earlier)),
        .fine("a falling order, nulls first", window("actual_end_ts DESC NULLS FIRST", later)),
        .fine(
            "a falling order of what has ended", window("actual_end_ts DESC", later, where: "actual_end_ts IS NOT NULL")
        ),
        .fine(
            "THEN", beside("CASE WHEN h.actual_end_ts <= w.submitted_ts THEN h.delay_min ELSE 0 END")),
        .fine(
            "ELSE, and ended",
            beside(
                "CASE WHEN h.actual_end_ts IS NULL OR h.actual_end_ts > w.submitted_ts THEN 0 ELSE h.delay_min END"
            )),
        .fine(
            "ELSE of rows that have ended",
            beside(
                "CASE WHEN h.actual_end_ts > w.submitted_ts THEN 0 ELSE h.n_steps END")
                + " WHERE h.actual_end_ts IS NOT NULL"),
        .fine("NOT", joined("NOT (h.actual_end_ts > w.submitted_ts)", "sum(h.delay_min)")),
        .fine("NOT of an OR", joined("NOT (h.actual_end_ts > w.submitted_ts OR h.delay_min > 9)", "sum(h.delay_min)")),
        .fine(
            "guarded either way",
            joined(
                "(h.actual_end_ts <= w.submitted_ts AND h.delay_min > 3 OR h.actual_end_ts < w.submitted_ts - INTERVAL 1 DAY AND h.n_steps > 3)",
                "sum(h.n_steps)")),
        .fine("the day it ended", joined("CAST(h.actual_end_ts AS DATE) + INTERVAL 1 DAY <= w.submitted_ts")),
        .fine(
            "ELSE of a moment that is there",
            beside(
                "CASE WHEN h.submitted_ts + INTERVAL 1 HOUR > w.submitted_ts THEN 0 ELSE h.n_steps END"
            )),
        .fine(
            "a second condition as a value",
            beside(
                "h.actual_end_ts IS NOT NULL AND h.actual_end_ts <= w.submitted_ts AND h.delay_min > 3")),
        .fine("a text of the key", column("sum(w.n_steps) OVER (PARTITION BY w.experiment_id || '-x')")),
    ]
}
