import Generators

/// What the logs of a laboratory show, next to what the process must show.
struct LabFigures {
    /// Mean and standard deviation over seeds, at 50,000 experiments.
    static let bands: [(name: String, mean: Double, deviation: Double)] = [
        ("prevalence", 0.2269, 0.013), ("bayes_auc_all", 0.9836, 0.0014), ("bayes_auc_last20", 0.9841, 0.0028),
        ("bayes_ap_last20", 0.9632, 0.0079), ("planned_min@0.5", 67.59, 0.11), ("planned_min@0.95", 168.9, 1.3),
        ("buffer_min@0.5", 166, 0.27), ("buffer_min@0.95", 341.5, 0.54), ("backlog_min@0.75", 30.57, 1.7),
        ("backlog_min@0.95", 182.7, 19), ("backlog_min@0.99", 413.4, 71), ("queue_len@0.95", 2.333, 0.52),
        ("occupancy@0.5", 0.64, 0), ("occupancy@0.95", 2.307, 0.24), ("workload_24h@0.95", 7, 0),
        ("err24@0.75", 1, 0), ("err24@0.99", 13, 0.63), ("stock_ratio@0.5", 24.97, 0.38),
        ("stock_ratio@0.95", 133.6, 1.8), ("days_to_expiry@0.05", 10.79, 1), ("days_to_expiry@0.5", 37.18, 1.1),
        ("days_to_expiry@0.95", 95.86, 2.5), ("n_steps@0.5", 5, 0), ("n_steps@0.95", 11, 0),
        ("delay_min@0.05", -22.89, 0.25), ("delay_min@0.5", -1.789, 0.85), ("delay_min@0.75", 25.77, 2.4),
        ("delay_min@0.95", 104.5, 11), ("stockout_share", 0.08278, 0.0034), ("lot_borderline", 0.07147, 0.006),
        ("excursion", 0.03438, 0.003),
    ]

    private(set) var values: [String: Double] = [:]
    /// The experiments less those whose reagent row was found; 0 if the logs fit together.
    let unmatched: Int

    init(_ files: LabFiles) {
        let workflow = files.log("workflow_logs")
        let queue = files.log("queue_logs")
        let submitted = workflow.seconds("submitted_ts").map { $0 ?? 0 }
        let starts = workflow.seconds("planned_start_ts").map { $0 ?? 0 }
        let use = Self.reagentUse(files.log("reagent_logs"), workflow.numbers("required_units"), submitted)
        unmatched = workflow.count - use.expiry.count
        let samples: [(name: String, values: [Double])] = [
            ("planned_min", workflow.numbers("planned_duration_min")), ("n_steps", workflow.numbers("n_steps")),
            ("delay_min", workflow.numbers("delay_min")), ("queue_len", queue.numbers("queue_length_at_enqueue")),
            ("buffer_min", zip(starts, submitted).map { Double($0 - $1) / 60 }),
            ("backlog_min", queue.numbers("backlog_min_at_enqueue")),
            ("occupancy", queue.numbers("lab_active_jobs_at_enqueue").map { $0 / 25 }),
            ("workload_24h", Self.workload(workflow.suffixes("scientist_id"), submitted)),
            ("err24", Self.errors(files.log("instrument_telemetry"), workflow.suffixes("instrument_id"), submitted)),
            ("stock_ratio", use.ratio), ("days_to_expiry", use.expiry),
        ]
        for (name, sample) in samples {
            let sorted = sample.sorted()
            for band in Self.bands {
                let parts = band.name.split(separator: "@")
                guard parts.count == 2, parts[0] == name, let share = Double(parts[1]) else { continue }
                values[band.name] = Self.quantile(sorted, share)
            }
        }
        let delayed = workflow.numbers("delayed")
        let truth = files.truth.numbers("p_delayed")
        let late = Int(0.8 * Double(truth.count))
        values["prevalence"] = Self.mean(delayed)
        values["bayes_auc_all"] = Self.rocAUC(delayed, truth)
        values["bayes_auc_last20"] = Self.rocAUC(Array(delayed[late...]), Array(truth[late...]))
        values["bayes_ap_last20"] = Self.averagePrecision(Array(delayed[late...]), Array(truth[late...]))
        values["stockout_share"] = Self.mean(use.stockout)
        values["lot_borderline"] = Self.mean(use.borderline)
        values["excursion"] = Self.mean(use.excursion)
    }

    static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }

    /// Straight between the two nearest of the sorted values.
    private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        let position = share * Double(sorted.count - 1)
        let low = Int(position)
        let high = min(low + 1, sorted.count - 1)
        return sorted[low] + (sorted[high] - sorted[low]) * (position - Double(low))
    }

    /// The share of pairs of a delayed and another experiment that the probabilities order rightly, ties half.
    private static func rocAUC(_ labels: [Double], _ scores: [Double]) -> Double {
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        var negatives = 0.0
        var pairs = 0.0
        var first = 0
        while first < order.count {
            var last = first
            while last < order.count, scores[order[last]] == scores[order[first]] { last += 1 }
            let positive = order[first..<last].reduce(0) { $0 + labels[$1] }
            let negative = Double(last - first) - positive
            pairs += positive * (negatives + negative / 2)
            negatives += negative
            first = last
        }
        return pairs / (negatives * (Double(labels.count) - negatives))
    }

    private static func averagePrecision(_ labels: [Double], _ scores: [Double]) -> Double {
        var hits = 0.0
        var sum = 0.0
        for (rank, row) in scores.indices.sorted(by: { scores[$0] > scores[$1] }).enumerated() where labels[row] == 1 {
            hits += 1
            sum += hits / Double(rank + 1)
        }
        return sum / hits
    }

    /// Each scientist's submissions in the 24 hours up to an experiment, itself included.
    private static func workload(_ scientists: [Int], _ submitted: [Int]) -> [Double] {
        var recent = [[Int]](repeating: [], count: (scientists.max() ?? 0) + 1)
        return zip(scientists, submitted).map { scientist, second in
            recent[scientist].removeAll { $0 <= second - 86_400 }
            recent[scientist].append(second)
            return Double(recent[scientist].count)
        }
    }

    /// The errors of the experiment's instrument in the 24 hours before the hour of its submission.
    private static func errors(_ telemetry: LabLog, _ instruments: [Int], _ submitted: [Int]) -> [Double] {
        var sums = [[Double]](repeating: [0], count: (instruments.max() ?? 0) + 1)
        for (instrument, errors) in zip(telemetry.suffixes("instrument_id"), telemetry.numbers("error_count")) {
            sums[instrument].append((sums[instrument].last ?? 0) + errors)
        }
        return zip(instruments, submitted).map { instrument, second in
            sums[instrument][second / 3_600] - sums[instrument][max(0, second / 3_600 - 24)]
        }
    }

    private struct Use {
        var ratio: [Double] = []
        var expiry: [Double] = []
        var stockout: [Double] = []
        var borderline: [Double] = []
        var excursion: [Double] = []
    }

    /// The rows of the reagent log that belong to experiments, which come in the same order.
    private static func reagentUse(_ log: LabLog, _ units: [Double], _ submitted: [Int]) -> Use {
        var use = Use()
        let times = log.seconds("ts")
        let expiries = log.seconds("lot_expiry_ts")
        let kinds = log.texts("event_type")
        let lots = log.texts("lot_qc_status")
        let quantities = log.numbers("quantity_units")
        let stocks = log.numbers("stock_after_units")
        let excursions = log.numbers("storage_excursion_48h")
        for row in kinds.indices where kinds[row] == "consume" || kinds[row] == "stockout" {
            let experiment = use.ratio.count
            guard experiment < submitted.count, times[row] == submitted[experiment] else { break }
            use.ratio.append((stocks[row] - quantities[row]) / units[experiment])
            use.expiry.append(Double((expiries[row] ?? 0) - submitted[experiment]) / 86_400)
            use.stockout.append(kinds[row] == "stockout" ? 1 : 0)
            use.borderline.append(lots[row] == "borderline" ? 1 : 0)
            use.excursion.append(excursions[row])
        }
        return use
    }
}
