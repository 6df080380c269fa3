-- Machine readings, cleaned: one row per distinct reading.
--
-- Rule 1. The file has no id and days repeat, so a reading is known by its content: the MD5 of what was measured,
--         without the label. It does not depend on the order of rows or files; a reading delivered twice is one row,
--         and the labelled copy is kept.
-- Rule 2. A pressure or a vibration below zero is a sensor at fault: the value becomes missing, the row stays.
-- Rule 3. The label becomes 1 (machine failure) or 0.
WITH identified AS (
    SELECT
        *,
        md5(concat_ws(
            '|',
            CAST(reading_date AS STRING),
            machine_id,
            coalesce(CAST(hydraulic_pressure AS STRING), '-'),
            coalesce(CAST(coolant_pressure AS STRING), '-'),
            coalesce(CAST(air_system_pressure AS STRING), '-'),
            coalesce(CAST(coolant_temperature AS STRING), '-'),
            coalesce(CAST(hydraulic_oil_temperature AS STRING), '-'),
            coalesce(CAST(spindle_bearing_temperature AS STRING), '-'),
            coalesce(CAST(spindle_vibration AS STRING), '-'),
            coalesce(CAST(tool_vibration AS STRING), '-'),
            coalesce(CAST(spindle_speed AS STRING), '-'),
            coalesce(CAST(voltage AS STRING), '-'),
            coalesce(CAST(torque AS STRING), '-'),
            coalesce(CAST(cutting AS STRING), '-')
        )) AS reading_id
    FROM bronze.readings
),

ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY reading_id
            ORDER BY CASE WHEN downtime IS NULL THEN 1 ELSE 0 END, _file, _row
        ) AS copy_number
    FROM identified
)

SELECT
    reading_id,
    reading_date,
    machine_id,
    assembly_line,
    CASE WHEN hydraulic_pressure >= 0 THEN hydraulic_pressure END AS hydraulic_pressure,
    coolant_pressure,
    air_system_pressure,
    coolant_temperature,
    hydraulic_oil_temperature,
    spindle_bearing_temperature,
    CASE WHEN spindle_vibration >= 0 THEN spindle_vibration END AS spindle_vibration,
    tool_vibration,
    spindle_speed,
    voltage,
    torque,
    cutting,
    CASE downtime WHEN 'Machine_Failure' THEN 1 WHEN 'No_Machine_Failure' THEN 0 END AS failure
FROM ranked
WHERE copy_number = 1
