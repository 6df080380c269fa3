-- A reagent's state after the last event of each second that has one.
--
-- The log does not number its events. Within a second a delivery comes first, then what is taken, each time less being
-- left, then what was found missing, and a discarded lot last.
SELECT DISTINCT ON (reagent_id, ts)
    reagent_id,
    ts,
    event_type,
    stock_after_units,
    lot_expiry_ts,
    lot_qc_status,
    expected_delivery_ts,
    storage_excursion_48h
FROM bronze.reagent_logs
ORDER BY
    reagent_id, ts,
    CASE event_type WHEN 'discard' THEN 1 WHEN 'stockout' THEN 2 WHEN 'consume' THEN 3 ELSE 4 END,
    stock_after_units, lot_id, quantity_units, lot_expiry_ts, lot_qc_status, expected_delivery_ts, storage_excursion_48h
