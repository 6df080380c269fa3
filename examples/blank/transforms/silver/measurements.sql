-- One SELECT a file makes one table: this one makes silver.measurements. Name other tables with their layer.
SELECT
    id,
    taken_at,
    kind,
    value,
    outcome
FROM bronze.measurements
WHERE value IS NOT NULL
