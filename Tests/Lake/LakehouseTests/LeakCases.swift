import Lakehouse
import Testing

/// A table of experiments over the laboratory's four logs, and what the analysis is to say of it.
struct LeakCase: CustomTestStringConvertible, Sendable {
    var name: String
    /// SQL of gold.experiments, features after `w.submitted_ts, w.delayed`.
    var gold: String
    var silver: [String: String] = [:]
    /// The code of the refusal; `nil`: it must pass.
    var code: String?
    /// Texts that the path names.
    var path: [String] = []

    var testDescription: String { name }

    static func leak(
        _ name: String, _ code: String, _ gold: String, silver: [String: String] = [:], _ path: String...
    ) -> LeakCase { LeakCase(name: name, gold: gold, silver: silver, code: code, path: path) }

    static func fine(_ name: String, _ gold: String, silver: [String: String] = [:]) -> LeakCase {
        LeakCase(name: name, gold: gold, silver: silver)
    }
}

extension LeakCase {
    static let head = "SELECT w.experiment_id, w.submitted_ts, w.delayed, "
    static func column(_ expression: String, _ from: String = "FROM bronze.workflow_logs AS w") -> String {
        head + expression + " AS feature " + from
    }

    static let history = "SELECT *, delay_min AS d FROM bronze.workflow_logs"

    /// Statements that know what is not known yet.
    static let leaks: [LeakCase] = [
        .leak("a later column as it is", "leak.future-column", column("w.delay_min"), "delay_min", "actual_end_ts"),
        .leak(
            "a later column in an expression", "leak.future-column",
            column("round(w.planned_duration_min + w.delay_min)"), "delay_min"),
        .leak(
            "a later moment", "leak.future-column", column("epoch(w.actual_end_ts - w.submitted_ts)"), "actual_end_ts"),
        .leak(
            "the target under another name", "leak.target", column("CASE WHEN w.delayed THEN 1 ELSE 0 END"), "delayed"),
        .leak(
            "through a silver table and a rename", "leak.future-column",
            column("h.d", "FROM bronze.workflow_logs AS w JOIN silver.history AS h USING (experiment_id)"),
            silver: ["history": history], "silver.history.d", "bronze.workflow_logs.delay_min"),
        .leak("a star", "leak.future-column", "SELECT * FROM bronze.workflow_logs AS w", "delay_min"),
        .leak(
            "a star with a rename", "leak.future-column",
            "SELECT * EXCLUDE (delay_min, actual_end_ts) RENAME (delay_min AS x) FROM bronze.workflow_logs"
                .replacing("delay_min, ", with: "planned_start_ts, "), "delay_min"),
        .leak(
            "COLUMNS by a pattern", "leak.future-column",
            "SELECT experiment_id, submitted_ts, delayed, COLUMNS('^delay_') FROM bronze.workflow_logs", "delay_min"),
        .leak("a struct and back", "leak.future-column", column("{'a': w.priority, 'b': w.delay_min}.b"), "delay_min"),
        .leak(
            "a list and a lambda", "leak.future-column",
            column("list_transform([1, 2], x -> x * w.delay_min)[1]"), "delay_min"),
        .leak(
            "the mean delay of the scientist, all of it", "leak.future-column",
            column("avg(w.delay_min) OVER (PARTITION BY w.scientist_id)"), "delay_min"),
        .leak(
            "the mean delay so far, the row itself included", "leak.future-column",
            column("avg(w.delay_min) OVER (PARTITION BY w.scientist_id ORDER BY w.submitted_ts)"), "delay_min"),
        .leak(
            "the delay before, whether over or not", "leak.future-column",
            column("lag(w.delay_min) OVER (PARTITION BY w.scientist_id ORDER BY w.submitted_ts)"), "delay_min"),
        .leak(
            "the next experiment", "leak.future-rows",
            column("lead(w.priority) OVER (PARTITION BY w.instrument_id ORDER BY w.submitted_ts)"), "lead"),
        .leak(
            "lag that looks forward", "leak.future-rows",
            column("lag(w.priority, -1) OVER (ORDER BY w.submitted_ts)"), "lag"),
        .leak(
            "lag against the order of time", "leak.future-rows",
            column("lag(w.n_steps) OVER (ORDER BY w.submitted_ts DESC)"), "lag"),
        .leak(
            "a frame that goes on", "leak.future-rows",
            column(
                "count(*) OVER (PARTITION BY w.instrument_id ORDER BY w.submitted_ts RANGE BETWEEN CURRENT ROW AND INTERVAL 1 HOUR FOLLOWING)"
            )),
        .leak(
            "all experiments of the scientist", "leak.future-rows",
            column("count(*) OVER (PARTITION BY w.scientist_id)")),
        .leak(
            "the rank among all", "leak.future-rows",
            column("percent_rank() OVER (PARTITION BY w.instrument_id ORDER BY w.submitted_ts)")),
        .leak(
            "a window in the order of something else", "leak.future-rows",
            column("row_number() OVER (PARTITION BY w.scientist_id ORDER BY w.n_steps)")),
        .leak(
            "a common table expression over all history", "leak.target",
            """
            WITH rates AS (SELECT scientist_id, avg(CAST(delayed AS INTEGER)) AS rate FROM bronze.workflow_logs GROUP BY 1)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, r.rate FROM bronze.workflow_logs w LEFT JOIN rates r USING (scientist_id)
            """, "rates.rate", "delayed"),
        .leak(
            "the guard on the wrong column", "leak.future-column",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed, avg(h.delay_min) AS recent FROM bronze.workflow_logs w
            LEFT JOIN bronze.workflow_logs h ON h.scientist_id = w.scientist_id AND h.submitted_ts < w.submitted_ts
            GROUP BY ALL
            """, "delay_min"),
        .leak(
            "the guard the wrong way round", "leak.future-column",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed,
              (SELECT avg(h.delay_min) FROM bronze.workflow_logs h WHERE h.actual_end_ts >= w.submitted_ts) AS recent
            FROM bronze.workflow_logs w
            """, "delay_min"),
        .leak(
            "the guard with an hour too much", "leak.future-column",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed,
              (SELECT avg(h.delay_min) FROM bronze.workflow_logs h
               WHERE h.actual_end_ts <= w.submitted_ts + INTERVAL 1 HOUR) AS recent
            FROM bronze.workflow_logs w
            """, "delay_min"),
        .leak(
            "a guard by the hour that rounds up", "leak.future-rows",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed, t.vibration_mm_s FROM bronze.workflow_logs w
            LEFT JOIN bronze.instrument_telemetry t ON t.instrument_id = w.instrument_id
              AND t.ts = date_trunc('hour', w.submitted_ts) + INTERVAL 1 HOUR
            """, "vibration_mm_s"),
        .leak(
            "a guard that OR undoes", "leak.future-column",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed,
              (SELECT avg(h.delay_min) FROM bronze.workflow_logs h
               WHERE h.actual_end_ts <= w.submitted_ts OR h.priority = 'High') AS recent
            FROM bronze.workflow_logs w
            """, "delay_min"),
        .leak(
            "telemetry of the whole day", "leak.future-rows",
            """
            WITH days AS (SELECT instrument_id, CAST(ts AS DATE) AS day, avg(vibration_mm_s) AS v
              FROM bronze.instrument_telemetry GROUP BY 1, 2)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, d.v FROM bronze.workflow_logs w
            LEFT JOIN days d ON d.instrument_id = w.instrument_id AND d.day = CAST(w.submitted_ts AS DATE)
            """, "days.v", "vibration_mm_s"),
        .leak(
            "telemetry of all time", "leak.future-rows",
            column(
                "(SELECT avg(t.temperature_c) FROM bronze.instrument_telemetry t WHERE t.instrument_id = w.instrument_id)"
            ), "temperature_c"),
        .leak(
            "telemetry after the submission", "leak.future-rows",
            column(
                "t.temperature_c",
                "FROM bronze.workflow_logs w ASOF LEFT JOIN bronze.instrument_telemetry t ON t.instrument_id = w.instrument_id AND w.submitted_ts <= t.ts"
            ), "temperature_c"),
        .leak(
            "when the queue let it go", "leak.future-column",
            column(
                "q.wait_min",
                "FROM bronze.workflow_logs w JOIN bronze.queue_logs q ON q.experiment_id = w.experiment_id AND q.enqueue_ts <= w.submitted_ts"
            ), "wait_min", "dequeue_ts"),
        .leak(
            "EXISTS over an outcome", "leak.future-column",
            column(
                "EXISTS (SELECT 1 FROM bronze.workflow_logs h WHERE h.scientist_id = w.scientist_id AND h.submitted_ts < w.submitted_ts AND h.delay_min > 30)"
            ), "delay_min"),
        .leak(
            "IN over an outcome", "leak.target",
            column("w.instrument_id IN (SELECT h.instrument_id FROM bronze.workflow_logs h WHERE h.delayed)")),
        .leak(
            "a lateral join", "leak.future-column",
            column(
                "l.x",
                "FROM bronze.workflow_logs w LEFT JOIN LATERAL (SELECT max(h.delay_min) AS x FROM bronze.workflow_logs h WHERE h.instrument_id = w.instrument_id AND h.submitted_ts < w.submitted_ts) l ON true"
            ), "delay_min"),
        .leak(
            "an anti join on what comes later", "leak.future-rows",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed, w.n_steps FROM bronze.workflow_logs w
            ANTI JOIN bronze.workflow_logs h ON h.scientist_id = w.scientist_id AND h.submitted_ts > w.submitted_ts
            """),
        .leak("a filter on the outcome", "leak.target", column("w.n_steps") + " WHERE w.delayed OR w.n_steps > 3"),
        .leak("a filter on a later column", "leak.future-column", column("w.n_steps") + " WHERE w.delay_min < 500"),
        .leak(
            "QUALIFY by the outcome", "leak.future-column",
            column("w.n_steps")
                + " QUALIFY row_number() OVER (PARTITION BY w.scientist_id ORDER BY w.delay_min) <= 100"),
        .leak(
            "LIMIT in the order of the outcome", "leak.future-column",
            column("w.n_steps") + " ORDER BY w.delay_min LIMIT 1000"),
        .leak(
            "HAVING and a join back", "leak.future-column",
            """
            WITH slow AS (SELECT instrument_id FROM bronze.workflow_logs GROUP BY 1 HAVING avg(delay_min) > 20)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, s.instrument_id IS NOT NULL AS is_slow
            FROM bronze.workflow_logs w LEFT JOIN slow s USING (instrument_id)
            """, "delay_min"),
        .leak(
            "ORDER BY inside of an aggregate", "leak.future-column",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed, first(h.n_steps ORDER BY h.delay_min) AS x
            FROM bronze.workflow_logs w JOIN bronze.workflow_logs h
              ON h.scientist_id = w.scientist_id AND h.submitted_ts < w.submitted_ts GROUP BY ALL
            """, "delay_min"),
        .leak(
            "arg_max over the outcome", "leak.future-column",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed,
              (SELECT arg_max(h.n_steps, h.delay_min) FROM bronze.workflow_logs h WHERE h.submitted_ts <= w.submitted_ts) AS x
            FROM bronze.workflow_logs w
            """, "delay_min"),
        .leak(
            "a union that hides it", "leak.future-column",
            """
            WITH u AS (SELECT experiment_id, n_steps AS x FROM bronze.workflow_logs WHERE priority = 'Low'
              UNION ALL SELECT experiment_id, delay_min FROM bronze.workflow_logs WHERE priority <> 'Low')
            SELECT w.experiment_id, w.submitted_ts, w.delayed, u.x FROM bronze.workflow_logs w JOIN u USING (experiment_id)
            """, "delay_min"),
        .leak(
            "a pivot of outcomes", "leak.future-column",
            """
            WITH p AS (SELECT * FROM (SELECT scientist_id, priority, delay_min FROM bronze.workflow_logs)
              PIVOT (avg(delay_min) FOR priority IN ('Low', 'High') GROUP BY scientist_id))
            SELECT w.experiment_id, w.submitted_ts, w.delayed, p.Low FROM bronze.workflow_logs w LEFT JOIN p USING (scientist_id)
            """, "delay_min"),
        .leak(
            "an unpivot of outcomes", "leak.future-column",
            """
            WITH u AS (UNPIVOT (SELECT experiment_id, delay_min, planned_duration_min FROM bronze.workflow_logs)
              ON delay_min, planned_duration_min INTO NAME n VALUE v)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, max(u.v) AS x FROM bronze.workflow_logs w
            JOIN u USING (experiment_id) GROUP BY ALL
            """, "delay_min"),
        .leak(
            "a recursive query", "leak.future-column",
            """
            WITH RECURSIVE r AS (SELECT experiment_id, delay_min AS d FROM bronze.workflow_logs
              UNION ALL SELECT experiment_id, d - 1 FROM r WHERE d > 100)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, (SELECT min(d) FROM r WHERE r.experiment_id = w.experiment_id) AS x
            FROM bronze.workflow_logs w
            """, "delay_min"),
        .leak(
            "two silver tables and two renames", "leak.future-column",
            column("b.late", "FROM bronze.workflow_logs w JOIN silver.b AS b USING (experiment_id)"),
            silver: [
                "a": "SELECT experiment_id, delay_min AS minutes FROM bronze.workflow_logs",
                "b":
                    "WITH x AS (SELECT experiment_id, minutes * 60 AS seconds FROM silver.a) SELECT experiment_id, seconds > 0 AS late FROM x",
            ], "silver.b.late", "x.seconds", "silver.a.minutes", "bronze.workflow_logs.delay_min"),
        .leak(
            "DISTINCT ON the last state of all", "leak.future-rows",
            """
            WITH latest AS (SELECT DISTINCT ON (instrument_id) instrument_id, vibration_mm_s
              FROM bronze.instrument_telemetry ORDER BY instrument_id, ts DESC)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, l.vibration_mm_s FROM bronze.workflow_logs w
            LEFT JOIN latest l USING (instrument_id)
            """, "vibration_mm_s"),
        .leak(
            "the last state of all, guarded too late", "leak.future-rows",
            """
            WITH latest AS (SELECT DISTINCT ON (instrument_id) instrument_id, ts, vibration_mm_s
              FROM bronze.instrument_telemetry ORDER BY instrument_id, ts DESC)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, l.vibration_mm_s FROM bronze.workflow_logs w
            LEFT JOIN latest l ON l.instrument_id = w.instrument_id AND l.ts <= w.submitted_ts
            """),
        .leak(
            "a positional join", "leak.future-column",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed, h.x FROM bronze.workflow_logs w
            POSITIONAL JOIN (SELECT delay_min AS x FROM bronze.workflow_logs) h
            """, "delay_min"),
        .leak(
            "a bound by way of the outcome itself", "leak.future-column",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed, w.delay_min * 0 + q.queue_length_at_enqueue AS x
            FROM bronze.workflow_logs w LEFT JOIN bronze.queue_logs q
              ON q.enqueue_ts <= w.submitted_ts AND w.actual_end_ts <= q.enqueue_ts
            """, "delay_min"),
        .leak(
            "difference of moments the wrong way", "leak.future-column",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed,
              (SELECT count(*) FILTER (WHERE h.delayed) FROM bronze.workflow_logs h
               WHERE date_diff('minute', h.actual_end_ts, w.submitted_ts) >= 0 AND h.delay_min > 0) AS x
            FROM bronze.workflow_logs w
            """.replacing("FILTER (WHERE h.delayed)", with: "")),
        .leak(
            "a whole row as a struct", "leak.future-column",
            column(
                "to_json(h)",
                "FROM bronze.workflow_logs w JOIN (SELECT experiment_id, delay_min FROM bronze.workflow_logs) h USING (experiment_id)"
            ),
            "delay_min"),
        .leak(
            "ntile of the planned time among all", "leak.future-rows",
            column("ntile(10) OVER (ORDER BY w.planned_duration_min)")),
        .leak(
            "groups made by the outcome", "leak.future-column",
            """
            WITH g AS (SELECT scientist_id, delay_min > 30 AS late, count(*) AS n FROM bronze.workflow_logs GROUP BY ALL),
            m AS (SELECT w.experiment_id, count(*) AS n FROM bronze.workflow_logs w
              JOIN bronze.workflow_logs h ON h.scientist_id = w.scientist_id AND h.submitted_ts <= w.submitted_ts
              GROUP BY w.experiment_id, h.delay_min > 30)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, max(m.n) AS x FROM bronze.workflow_logs w
            JOIN m USING (experiment_id) GROUP BY ALL
            """, "delay_min"),
        .leak(
            "a future stock event", "leak.future-rows",
            column(
                "(SELECT min(r.ts) FROM bronze.reagent_logs r WHERE r.reagent_id = w.reagent_id AND r.ts > w.submitted_ts) - w.submitted_ts"
            )),
    ]
}
