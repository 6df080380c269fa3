-- One row per reading: the sensors, three derived features, and the label.
SELECT
    reading_id,
    reading_date,
    machine_id,
    hydraulic_pressure,
    coolant_pressure,
    air_system_pressure,
    coolant_temperature,
    hydraulic_oil_temperature,
    spindle_bearing_temperature,
    spindle_vibration,
    tool_vibration,
    spindle_speed,
    voltage,
    torque,
    cutting,
    hydraulic_pressure - coolant_pressure AS pressure_differential,
    tool_vibration / nullif(spindle_vibration, 0) AS vibration_ratio,
    hydraulic_pressure * cutting AS pressure_force_interaction,
    failure
FROM silver.readings
