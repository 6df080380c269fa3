-- One row per key: the features and the target.
SELECT
    id,
    kind,
    value,
    outcome
FROM silver.measurements
