// How far apart two moments are: counts that are cut off, months, texts of distances.

extension LeakCase {
    private static func steps(_ condition: String) -> String {
        column("(SELECT sum(h.n_steps) FROM bronze.workflow_logs h WHERE \(condition))")
    }

    private static func delays(_ condition: String) -> String {
        column("(SELECT max(h.delay_min) FROM bronze.workflow_logs h WHERE \(condition))")
    }

    static let timeLeaks: [LeakCase] = [
        .leak(
            "date_sub cuts off towards zero", "leak.future-rows",
            steps("date_sub('hour', h.submitted_ts, w.submitted_ts) >= 0")),
        .leak(
            "date_sub of months, the other way", "leak.future-rows",
            steps("date_sub('month', w.submitted_ts, h.submitted_ts) <= 0")),
        .leak(
            "a month is not 31 days", "leak.future-rows",
            steps("date_sub('month', h.submitted_ts, w.submitted_ts + INTERVAL 30 DAY) >= 1")),
        .leak(
            "a count of months by their ends", "leak.future-rows",
            steps("date_diff('month', h.submitted_ts, w.submitted_ts + INTERVAL 30 DAY) >= 2")),
        .leak(
            "a part of a step", "leak.future-rows",
            steps("date_diff('minute', h.submitted_ts, w.submitted_ts + INTERVAL 30 MINUTE) / 60 > 0")),
        .leak(
            "a month counted as 30 days", "leak.future-rows",
            steps("age(w.submitted_ts + INTERVAL 29 DAY, h.submitted_ts) >= INTERVAL 30 DAY")),
        .leak(
            "a negative clock of an hour and a half", "leak.future-rows",
            steps("h.submitted_ts + INTERVAL '-01:30:00' <= w.submitted_ts - INTERVAL '45 minutes'")),
        .leak(
            "a negative clock of half an hour", "leak.future-rows",
            steps("h.submitted_ts + INTERVAL '-00:30:00' <= w.submitted_ts")),
        .leak(
            "a time zone behind the clock", "leak.future-rows",
            steps(
                "h.submitted_ts <= TIMESTAMPTZ '2024-01-01 00:00:00-12' AND TIMESTAMP '2024-01-01 01:00:00' <= w.submitted_ts"
            )),
        .leak(
            "a week does not begin with 1970", "leak.future-rows",
            steps(
                "h.submitted_ts <= date_trunc('week', TIMESTAMP '2024-01-03 00:00:00') AND TIMESTAMP '2023-12-30 00:00:00' <= w.submitted_ts"
            )),
    ]

    static let timeFine: [LeakCase] = [
        .fine("full hours since", delays("date_sub('hour', h.actual_end_ts, w.submitted_ts) >= 1")),
        .fine("full days, the other way", delays("date_sub('day', w.submitted_ts, h.actual_end_ts) <= -1")),
        .fine("full days, strictly", delays("date_sub('day', h.actual_end_ts, w.submitted_ts) > 0")),
        .fine("months since", delays("date_diff('month', h.actual_end_ts, w.submitted_ts) >= 1")),
        .fine(
            "two full months are four weeks at least",
            delays("date_sub('month', h.actual_end_ts, w.submitted_ts + INTERVAL 28 DAY) >= 1")),
        .fine("hours of minutes", delays("date_diff('minute', h.actual_end_ts, w.submitted_ts) / 60 >= 1")),
        .fine("days of epochs", delays("(epoch(w.submitted_ts) - epoch(h.actual_end_ts)) / 86400 > 0.5")),
        .fine("its age", delays("age(w.submitted_ts, h.actual_end_ts) > INTERVAL '0 days'")),
        .fine("a clock", delays("h.actual_end_ts + INTERVAL '01:30:00' <= w.submitted_ts")),
        .fine("a negative clock", delays("h.actual_end_ts <= w.submitted_ts + INTERVAL '-01:30:00'")),
        .fine(
            "before a day that is over",
            delays(
                "h.actual_end_ts <= TIMESTAMP '2024-01-01 00:30:00' AND TIMESTAMP '2024-01-01 01:00:00' <= w.submitted_ts"
            )),
    ]

    /// Texts and numbers that look like moments and distances.
    static let oddConstants: [String] = [
        "'400012-03-7'", "'9223372036854775807-12-31'", "'2024-01-01 1e30:00'", "'2024-01-01 1e300:1e300:1e300'",
        "'2024-13-01'", "'2024-01-99999999999'", "'0000-01-01'", "'-2024-01-01'", "'2024--01-01'", "'infinity'", "''",
        "' '", "':'", "'::'", "'-:-'", "'nan:00'", "'inf:00:00'", "'2024-01-01 -inf:00'", "'2024-01-01T24:00:00'",
        "'٣:٤٥'", "'2024-٠١-01'", "1e300", "-1e300", "1e13", "9223372036854775807", "-9223372036854775808", "0", "0.1",
        "1e-300", "NULL", "true", "INTERVAL '1e30 hours'", "INTERVAL 'nan days'", "INTERVAL '-00:00:00'",
        "INTERVAL '99999999999:00:00'", "INTERVAL '0.1 microseconds'", "INTERVAL 9223372036854775807 DAY",
        "to_hours(9223372036854775807)", "TIMESTAMP '294246-12-31 23:59:59'", "DATE '5877642-06-25'",
        "TIMESTAMP '290309-12-22 (BC) 00:00:00'",
    ]

    /// Where such a constant may stand.
    static let oddPlaces: [String] = [
        "SELECT ts <= $, ts > $, k = $, ts BETWEEN $ AND $ FROM bronze.a WHERE k = $",
        "SELECT ts + $, ts - $, $ - ts, $ + $ FROM bronze.a", "SELECT ts + $ + $ <= until - $ - $ FROM bronze.a",
        "SELECT epoch(ts) / $, epoch(ts) * $, epoch(ts) / $ / $ <= $, epoch_ms(ts) + $ >= $ FROM bronze.a",
        "SELECT CAST($ AS TIMESTAMP), CAST($ AS DATE), CAST($ AS INTERVAL), CAST($ AS INTEGER) FROM bronze.a",
        "SELECT time_bucket($, ts), time_bucket($, $), date_trunc('week', $), date_trunc('hour', CAST($ AS TIMESTAMP)) FROM bronze.a",
        "SELECT date_diff('year', ts, until) > $, date_sub('month', $, ts) <= $, (ts - until) / $ < $, age(ts, until) <= $ FROM bronze.a",
        "SELECT sum(x) OVER (ORDER BY ts RANGE BETWEEN $ PRECEDING AND $ FOLLOWING), lag(x, $) OVER (ORDER BY ts) FROM bronze.a",
        "SELECT k, max(ts) FROM bronze.a GROUP BY k ORDER BY $ LIMIT $", "SELECT k, count(*) FROM bronze.a GROUP BY $",
        "SELECT least($, ts), greatest(ts, $), coalesce(ts, $), CASE WHEN ts < $ THEN $ END FROM bronze.a",
        "SELECT * FROM range(ts, $, $) FROM bronze.a", "SELECT x FROM bronze.a, generate_series($, $, $) AS s(i)",
    ]
}
