-- What the telemetry of an instrument says at the end of each of its hours.
--
-- A reading becomes whole millionths of its unit, so that sums do not depend on their order: a part of the table built
-- alone has the same bits as all of it. Lost readings are left out of the means.
-- What is usual for an instrument is its own mean over 30 days, of hours without an error.
WITH readings AS (
    SELECT
        ts,
        instrument_id,
        CAST(round(vibration_mm_s * 1000000) AS INTEGER) AS vibration,
        CAST(round(temperature_c * 1000000) AS INTEGER) AS temperature,
        CAST(round(pressure_bar * 1000000) AS INTEGER) AS pressure,
        error_count,
        days_since_calibration
    FROM bronze.instrument_telemetry
)

SELECT
    instrument_id,
    ts,
    ts + INTERVAL 1 HOUR AS known_ts, -- the hour is over
    avg(vibration) OVER hours_6 / 1000000 AS vibration_6h,
    avg(temperature) OVER hours_6 / 1000000 AS temperature_6h,
    avg(pressure) OVER hours_6 / 1000000 AS pressure_6h,
    avg(vibration) OVER hours_24 / 1000000 AS vibration_24h,
    avg(temperature) OVER hours_24 / 1000000 AS temperature_24h,
    avg(pressure) OVER hours_24 / 1000000 AS pressure_24h,
    CAST(sum(error_count) OVER hours_6 AS INTEGER) AS errors_6h,
    CAST(sum(error_count) OVER hours_24 AS INTEGER) AS errors_24h,
    CAST(count(*) OVER hours_24 - count(vibration) OVER hours_24 AS INTEGER) AS lost_24h,
    avg(vibration) FILTER (error_count = 0) OVER days_30 / 1000000 AS vibration_usual,
    avg(temperature) FILTER (error_count = 0) OVER days_30 / 1000000 AS temperature_usual,
    avg(pressure) FILTER (error_count = 0) OVER days_30 / 1000000 AS pressure_usual,
    days_since_calibration
FROM readings
WINDOW
    hours_6 AS (PARTITION BY instrument_id ORDER BY ts RANGE BETWEEN INTERVAL 5 HOURS PRECEDING AND CURRENT ROW),
    hours_24 AS (PARTITION BY instrument_id ORDER BY ts RANGE BETWEEN INTERVAL 23 HOURS PRECEDING AND CURRENT ROW),
    days_30 AS (PARTITION BY instrument_id ORDER BY ts RANGE BETWEEN INTERVAL 30 DAYS PRECEDING AND CURRENT ROW)
