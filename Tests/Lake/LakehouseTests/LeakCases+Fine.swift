extension LeakCase {
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
