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

    /// Statements that keep to what is known.
    static let fine: [LeakCase] = [
        .fine("columns of the row", column("w.n_steps")),
        .fine(
            "the outcome as a column that is no feature",
            "SELECT experiment_id, submitted_ts, delayed, delay_min AS outcome_min, n_steps FROM bronze.workflow_logs"),
        .fine("a star without the outcome", "SELECT * EXCLUDE (delay_min, actual_end_ts) FROM bronze.workflow_logs"),
        .fine(
            "COLUMNS by a pattern",
            "SELECT experiment_id, submitted_ts, delayed, COLUMNS('^planned_') FROM bronze.workflow_logs"),
        .fine("a struct and back, the other member", column("{'a': w.n_steps, 'b': w.delay_min}.a")),
        .fine("the calendar", column("hour(w.submitted_ts) + 24 * isodow(w.submitted_ts)")),
        .fine("time to the planned start", column("epoch(w.planned_start_ts) - epoch(w.submitted_ts)")),
        .fine(
            "submissions of a day",
            column(
                "count(*) OVER (PARTITION BY w.scientist_id ORDER BY w.submitted_ts RANGE BETWEEN INTERVAL 24 HOURS PRECEDING AND CURRENT ROW)"
            )),
        .fine(
            "the experiment before", column("lag(w.n_steps) OVER (PARTITION BY w.scientist_id ORDER BY w.submitted_ts)")
        ),
        .fine("lead against the order of time", column("lead(w.n_steps) OVER (ORDER BY w.submitted_ts DESC)")),
        .fine(
            "which experiment of the scientist",
            column("row_number() OVER (PARTITION BY w.scientist_id ORDER BY w.submitted_ts, w.experiment_id)")),
        .fine(
            "a frame in descending order",
            column(
                "sum(w.n_steps) OVER (ORDER BY w.submitted_ts DESC ROWS BETWEEN 1 FOLLOWING AND 10 FOLLOWING)")),
        .fine(
            "telemetry as of now",
            column(
                "t.vibration_mm_s",
                "FROM bronze.workflow_logs w ASOF LEFT JOIN bronze.instrument_telemetry t ON t.instrument_id = w.instrument_id AND w.submitted_ts >= t.ts"
            )),
        .fine(
            "telemetry windows, an hour late",
            column(
                "t.v6",
                "FROM bronze.workflow_logs w ASOF LEFT JOIN silver.hours t ON t.instrument_id = w.instrument_id AND w.submitted_ts >= t.known_ts"
            ),
            silver: [
                "hours": """
                SELECT instrument_id, ts + INTERVAL 1 HOUR AS known_ts,
                  avg(vibration_mm_s) OVER (PARTITION BY instrument_id ORDER BY ts RANGE BETWEEN INTERVAL 5 HOURS PRECEDING AND CURRENT ROW) AS v6
                FROM bronze.instrument_telemetry
                """
            ]),
        .fine(
            "telemetry by the hour, grouped",
            """
            WITH hours AS (SELECT instrument_id, date_trunc('hour', ts) AS hour, avg(vibration_mm_s) AS v
              FROM bronze.instrument_telemetry GROUP BY 1, 2)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, h.v FROM bronze.workflow_logs w
            LEFT JOIN hours h ON h.instrument_id = w.instrument_id
              AND h.hour = date_trunc('hour', w.submitted_ts) - INTERVAL 1 HOUR
            """),
        .fine(
            "the day before, grouped",
            """
            WITH days AS (SELECT instrument_id, CAST(ts AS DATE) AS day, max(error_count) AS v
              FROM bronze.instrument_telemetry GROUP BY ALL)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, d.v FROM bronze.workflow_logs w
            LEFT JOIN days d ON d.instrument_id = w.instrument_id AND d.day + INTERVAL 1 DAY <= w.submitted_ts
            """.replacing(
                "SELECT w.experiment_id, w.submitted_ts, w.delayed, d.v",
                with: "SELECT w.experiment_id, w.submitted_ts, w.delayed, max(d.v) AS v")
                + " GROUP BY w.experiment_id, w.submitted_ts, w.delayed"),
        .fine(
            "outcomes of experiments that are over",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed, avg(h.delay_min) AS recent, count(h.experiment_id) AS n
            FROM bronze.workflow_logs w LEFT JOIN bronze.workflow_logs h
              ON h.scientist_id = w.scientist_id AND h.actual_end_ts <= w.submitted_ts
            GROUP BY ALL
            """),
        .fine(
            "the same through a table of its own",
            column(
                "r.rate", "FROM bronze.workflow_logs w LEFT JOIN silver.rates r USING (experiment_id)"),
            silver: [
                "history":
                    "SELECT experiment_id AS id, scientist_id AS who, actual_end_ts AS over_at, delayed AS late FROM bronze.workflow_logs",
                "rates": """
                SELECT w.experiment_id, avg(CAST(h.late AS INTEGER)) AS rate FROM bronze.workflow_logs w
                JOIN silver.history h ON h.who = w.scientist_id AND h.over_at < w.submitted_ts - INTERVAL 1 HOUR
                GROUP BY w.experiment_id
                """,
            ]),
        .fine(
            "a correlated subquery with BETWEEN",
            column(
                "(SELECT count(*) FILTER (WHERE h.delayed) FROM bronze.workflow_logs h WHERE h.actual_end_ts BETWEEN w.submitted_ts - INTERVAL 30 DAYS AND w.submitted_ts)"
            )),
        .fine(
            "a guard in FILTER",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed,
              avg(h.delay_min) FILTER (WHERE h.actual_end_ts <= w.submitted_ts) AS recent
            FROM bronze.workflow_logs w LEFT JOIN bronze.workflow_logs h ON h.instrument_id = w.instrument_id
            GROUP BY w.experiment_id, w.submitted_ts, w.delayed
            """),
        .fine(
            "a guard in CASE",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed,
              sum(CASE WHEN h.actual_end_ts <= w.submitted_ts THEN h.delay_min ELSE 0 END) AS recent
            FROM bronze.workflow_logs w JOIN bronze.workflow_logs h ON h.instrument_id = w.instrument_id
            GROUP BY ALL
            """),
        .fine(
            "a guard by difference",
            column(
                "(SELECT max(h.delay_min) FROM bronze.workflow_logs h WHERE date_diff('minute', h.actual_end_ts, w.submitted_ts) > 0)"
            )),
        .fine(
            "a guard by epochs",
            column(
                "(SELECT max(h.delay_min) FROM bronze.workflow_logs h WHERE epoch(w.submitted_ts) - epoch(h.actual_end_ts) >= 3600)"
            )),
        .fine(
            "a guard by rounding down",
            column(
                "(SELECT max(h.delay_min) FROM bronze.workflow_logs h WHERE h.actual_end_ts < date_trunc('day', w.submitted_ts))"
            )),
        .fine(
            "experiments that run at the moment",
            column(
                "(SELECT count(*) FROM bronze.workflow_logs h WHERE h.submitted_ts <= w.submitted_ts AND (h.actual_end_ts > w.submitted_ts OR h.actual_end_ts IS NULL))"
            )),
        .fine(
            "whether the queue has let it go by now",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed, sum(CAST(q.dequeue_ts > w.submitted_ts AS INTEGER)) AS waiting,
              avg(CASE WHEN q.dequeue_ts <= w.submitted_ts THEN q.wait_min END) AS waited
            FROM bronze.workflow_logs w JOIN bronze.queue_logs q
              ON q.instrument_id = w.instrument_id AND q.enqueue_ts <= w.submitted_ts
            GROUP BY ALL
            """),
        .fine(
            "events of two kinds in one stream",
            """
            WITH events AS (SELECT submitted_ts AS t, 1 AS step FROM bronze.workflow_logs
              UNION ALL SELECT actual_end_ts, -1 FROM bronze.workflow_logs),
            running AS (SELECT t, sum(step) OVER (ORDER BY t RANGE UNBOUNDED PRECEDING) AS n FROM events)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, r.n FROM bronze.workflow_logs w
            ASOF LEFT JOIN (SELECT t, max(n) AS n FROM running GROUP BY t) r ON w.submitted_ts >= r.t
            """),
        .fine(
            "the last state up to now",
            column(
                "l.stock_after_units",
                "FROM bronze.workflow_logs w LEFT JOIN LATERAL (SELECT r.stock_after_units FROM bronze.reagent_logs r WHERE r.reagent_id = w.reagent_id AND r.ts <= w.submitted_ts ORDER BY r.ts DESC LIMIT 1) l ON true"
            )),
        .fine(
            "DISTINCT ON per experiment",
            """
            SELECT DISTINCT ON (w.experiment_id) w.experiment_id, w.submitted_ts, w.delayed, r.stock_after_units
            FROM bronze.workflow_logs w LEFT JOIN bronze.reagent_logs r ON r.reagent_id = w.reagent_id AND r.ts <= w.submitted_ts
            ORDER BY w.experiment_id, r.ts DESC
            """),
        .fine(
            "duplicates dropped by their key",
            column(
                "r.stock_after_units",
                "FROM bronze.workflow_logs w ASOF LEFT JOIN silver.states r ON r.reagent_id = w.reagent_id AND w.submitted_ts > r.ts"
            ),
            silver: [
                "states":
                    "SELECT * FROM bronze.reagent_logs QUALIFY row_number() OVER (PARTITION BY reagent_id, ts ORDER BY stock_after_units) = 1"
            ]),
        .fine(
            "the queue as it was",
            column(
                "q.queue_length_at_enqueue",
                "FROM bronze.workflow_logs w LEFT JOIN bronze.queue_logs q ON q.experiment_id = w.experiment_id AND q.enqueue_ts <= w.submitted_ts"
            )),
        .fine(
            "mean wait of those let go, by window and ASOF",
            column(
                "s.mean_wait",
                "FROM bronze.workflow_logs w ASOF LEFT JOIN silver.waits s ON s.priority = w.priority AND w.submitted_ts >= s.dequeue_ts"
            ),
            silver: [
                "waits": """
                SELECT dequeue_ts, priority, sum(x) OVER d / nullif(sum(n) OVER d, 0) AS mean_wait
                FROM (SELECT dequeue_ts, priority, sum(wait_min) AS x, count(*) AS n FROM bronze.queue_logs GROUP BY ALL)
                WINDOW d AS (PARTITION BY priority ORDER BY dequeue_ts RANGE BETWEEN INTERVAL 30 DAYS PRECEDING AND CURRENT ROW)
                """
            ]),
        .fine(
            "max of the moments in a group",
            """
            WITH g AS (SELECT instrument_id, CAST(ts AS DATE) AS day, max(ts) AS last_ts, sum(error_count) AS errors
              FROM bronze.instrument_telemetry GROUP BY 1, 2)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, g.errors FROM bronze.workflow_logs w
            ASOF LEFT JOIN g ON g.instrument_id = w.instrument_id AND w.submitted_ts >= g.last_ts
            """),
        .fine(
            "a chain of common table expressions",
            """
            WITH a AS (SELECT experiment_id AS id, scientist_id AS s, submitted_ts AS t FROM bronze.workflow_logs),
            b AS (SELECT a.id, a.t, h.delay_min AS d, h.actual_end_ts AS e FROM a JOIN bronze.workflow_logs h ON h.scientist_id = a.s),
            c AS (SELECT id, avg(d) AS d FROM b WHERE e <= t GROUP BY id, t)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, c.d FROM bronze.workflow_logs w LEFT JOIN c ON c.id = w.experiment_id
            """.replacing("GROUP BY id, t", with: "GROUP BY id")),
        .fine("labelled rows only", column("w.n_steps") + " WHERE w.delayed IS NOT NULL"),
        .fine("a row chosen by its key", column("w.n_steps") + " WHERE w.experiment_type <> 'QC'"),
        .fine(
            "a condition made earlier",
            """
            WITH pairs AS (SELECT w.experiment_id, w.submitted_ts, h.delay_min, h.actual_end_ts <= w.submitted_ts AS is_over
              FROM bronze.workflow_logs w JOIN bronze.workflow_logs h ON h.instrument_id = w.instrument_id)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, max(p.delay_min) AS x FROM bronze.workflow_logs w
            JOIN pairs p ON p.experiment_id = w.experiment_id WHERE p.is_over GROUP BY ALL
            """),
        .fine(
            "unpivoted readings of the past",
            """
            WITH u AS (UNPIVOT (SELECT ts, instrument_id, temperature_c, pressure_bar FROM bronze.instrument_telemetry)
              ON temperature_c, pressure_bar INTO NAME n VALUE v)
            SELECT w.experiment_id, w.submitted_ts, w.delayed, max(u.v) AS x FROM bronze.workflow_logs w
            LEFT JOIN u ON u.instrument_id = w.instrument_id AND u.ts < w.submitted_ts GROUP BY ALL
            """),
        .fine(
            "a list, sorted and cut",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delayed,
              list_sum(list_transform(list(t.error_count ORDER BY t.ts DESC)[1:3], lambda x: x + 1)) AS x
            FROM bronze.workflow_logs w LEFT JOIN bronze.instrument_telemetry t
              ON t.instrument_id = w.instrument_id AND t.ts BETWEEN w.submitted_ts - INTERVAL '6 hours' AND w.submitted_ts
            GROUP BY ALL
            """),
        .fine(
            "arg_max of the past",
            column(
                "(SELECT arg_max(t.days_since_calibration, t.ts) FROM bronze.instrument_telemetry t WHERE t.instrument_id = w.instrument_id AND t.ts < w.submitted_ts)"
            )),
        .fine(
            "coalesce to far away",
            column(
                "(SELECT count(*) FROM bronze.workflow_logs h WHERE h.submitted_ts < w.submitted_ts AND coalesce(h.actual_end_ts, TIMESTAMP '9999-12-31') > w.submitted_ts)"
            )),
        .fine(
            "GROUP BY ALL over a target made here",
            """
            SELECT w.experiment_id, w.submitted_ts, w.delay_min > 30 AS delayed, count(h.experiment_id) AS n
            FROM bronze.workflow_logs w LEFT JOIN bronze.workflow_logs h
              ON h.scientist_id = w.scientist_id AND h.submitted_ts < w.submitted_ts
            GROUP BY ALL
            """),
        .fine(
            "USING, twice",
            """
            WITH n AS (SELECT experiment_id, count(*) OVER (PARTITION BY instrument_id ORDER BY submitted_ts) AS k FROM bronze.workflow_logs)
            SELECT experiment_id, submitted_ts, delayed, n.k, m.k AS l FROM bronze.workflow_logs JOIN n USING (experiment_id)
            LEFT JOIN n AS m USING (experiment_id)
            """),
    ]
}
