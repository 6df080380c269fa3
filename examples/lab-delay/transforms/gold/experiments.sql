-- One row per experiment: what is known at the moment of its submission, and whether it was delayed.
--
-- Telemetry counts up to the last full hour before the submission. A reagent is as it was before this experiment: what
-- its own submission takes, or finds missing, is written in the same second and stays out. Of the queue, only what was
-- found on joining it counts; how long earlier jobs waited counts from the moment at which they left the queue.
-- Nothing is looked for further back than 30 days (telemetry: a day), so that the table can be built in part.
WITH submitted AS (
    SELECT
        *,
        split_part(instrument_id, '-', 1) AS instrument_type,
        -- Work that a scientist can look after in a day: the laboratory's staffing rule.
        CASE experience WHEN 'Junior' THEN 3 WHEN 'Mid' THEN 4 ELSE 6 END AS scientist_capacity,
        CAST(count(*) OVER last_day AS INTEGER) AS scientist_load_24h
    FROM bronze.workflow_logs
    WINDOW
        last_day AS (
            PARTITION BY scientist_id ORDER BY submitted_ts RANGE BETWEEN INTERVAL 24 HOURS PRECEDING AND CURRENT ROW
        )
),

instrument AS (
    SELECT s.experiment_id, h.*
    FROM submitted AS s
    ASOF JOIN silver.instrument_hours AS h ON s.instrument_id = h.instrument_id AND s.submitted_ts >= h.known_ts
    WHERE h.known_ts >= s.submitted_ts - INTERVAL 24 HOURS
),

reagent AS (
    SELECT s.experiment_id, r.*
    FROM submitted AS s
    ASOF JOIN silver.reagent_states AS r ON s.reagent_id = r.reagent_id AND s.submitted_ts > r.ts
    WHERE r.ts >= s.submitted_ts - INTERVAL 30 DAYS
),

share AS (
    SELECT s.experiment_id, q.share
    FROM submitted AS s
    ASOF JOIN silver.queue_shares AS q ON s.priority = q.priority AND s.submitted_ts >= q.dequeue_ts
    WHERE q.dequeue_ts >= s.submitted_ts - INTERVAL 30 DAYS
),

joined AS (
    SELECT
        s.*,
        q.queue_length_at_enqueue,
        q.backlog_min_at_enqueue,
        q.lab_active_jobs_at_enqueue,
        q.backlog_min_at_enqueue * w.share AS expected_wait_min,
        (epoch(s.planned_start_ts) - epoch(s.submitted_ts)) / 60 AS buffer_min,
        i.* EXCLUDE (experiment_id, instrument_id, ts, known_ts),
        r.* EXCLUDE (experiment_id, reagent_id, ts),
        (epoch(s.submitted_ts) - epoch(r.ts)) / 3600 AS reagent_event_age_h
    FROM submitted AS s
    LEFT JOIN bronze.queue_logs AS q ON s.experiment_id = q.experiment_id AND q.enqueue_ts <= s.submitted_ts
    LEFT JOIN share AS w ON s.experiment_id = w.experiment_id
    LEFT JOIN instrument AS i ON s.experiment_id = i.experiment_id
    LEFT JOIN reagent AS r ON s.experiment_id = r.experiment_id
)

SELECT
    experiment_id,
    submitted_ts,
    delayed, -- null while the experiment has not ended

    -- the experiment
    experiment_type,
    priority,
    n_steps,
    planned_duration_min,
    buffer_min,
    required_units,

    -- the calendar
    hour(submitted_ts) AS hour_of_day,
    isodow(submitted_ts) AS day_of_week,
    CAST(isodow(submitted_ts) >= 6 OR hour(submitted_ts) < 7 OR hour(submitted_ts) >= 19 AS INTEGER) AS off_hours,

    -- the scientist
    experience,
    scientist_load_24h,
    scientist_load_24h - scientist_capacity AS scientist_over_capacity,

    -- the queue
    queue_length_at_enqueue,
    backlog_min_at_enqueue,
    lab_active_jobs_at_enqueue,
    expected_wait_min,
    expected_wait_min - buffer_min AS expected_overrun_min,

    -- the instrument
    instrument_type,
    instrument_id,
    vibration_6h,
    temperature_6h,
    pressure_6h,
    vibration_24h,
    temperature_24h,
    pressure_24h,
    vibration_6h - vibration_usual AS vibration_excess,
    temperature_6h - temperature_usual AS temperature_excess,
    pressure_6h - pressure_usual AS pressure_excess,
    errors_6h,
    errors_24h,
    lost_24h,
    days_since_calibration,

    -- the reagent
    event_type AS reagent_last_event,
    reagent_event_age_h,
    stock_after_units AS stock_units,
    stock_after_units - required_units AS stock_left_units,
    stock_after_units / required_units AS stock_ratio,
    CAST(stock_after_units < required_units AS INTEGER) AS stock_short,
    (epoch(lot_expiry_ts) - epoch(submitted_ts)) / 86400 AS days_to_expiry,
    CAST(lot_qc_status = 'borderline' AS INTEGER) AS lot_borderline,
    storage_excursion_48h AS storage_excursion,
    (epoch(expected_delivery_ts) - epoch(submitted_ts)) / 3600 AS delivery_h
FROM joined
