-- How much of the backlog jobs of a priority have lately waited for, at each moment at which one left the queue: the
-- jobs that left it in the 30 days up to then. Urgent work overtakes, and by how much is nowhere written down.
--
-- Waits of more than 7 days are left out, so that a row never looks further back than 37 days.
SELECT
    priority,
    dequeue_ts,
    CAST(sum(CAST(round(wait_min * 100) AS BIGINT)) OVER lately AS DOUBLE)
    / nullif(CAST(sum(CAST(round(backlog_min_at_enqueue * 100) AS BIGINT)) OVER lately AS DOUBLE), 0) AS share
FROM bronze.queue_logs
WHERE dequeue_ts <= enqueue_ts + INTERVAL 7 DAYS
WINDOW lately AS (PARTITION BY priority ORDER BY dequeue_ts RANGE BETWEEN INTERVAL 30 DAYS PRECEDING AND CURRENT ROW)
