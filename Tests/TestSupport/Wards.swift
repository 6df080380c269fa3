internal import Core

/// A small project of its own, no template: 600 visits to a ward, an outcome that the weight tells a little of,
/// three bad rows, forty visits whose outcome is not known yet. It goes the whole path in a fraction of a second.
package enum Wards {
    package static let configuration = """
        name: wards
        sources:
          visits:
            csv: {missing: ["NA"]}
        models:
          - name: stay
            table: gold.visits
            key: visit_id
            target: {column: outcome, positive: "yes"}
            features:
              exclude: [note]
            split: {kind: hash, seed: 42, train: 0.6, validation: 0.2, test: 0.2}
            learner:
              kind: lightgbm
              parameters: {num_leaves: 4, min_data_in_leaf: 10}
              rounds: 40
              early_stopping: 10
            calibration: platt
            threshold: {cost: {false_negative: 3, false_positive: 1}}
            bands: {medium: 0.3, high: 0.6}
            bootstrap: {replicates: 100}
            gates:
              - {metric: roc_auc, at_least: 0.6}
            approval: none

        """

    package static let contract = """
        description: one row per visit
        on_violation: reject-row
        max_rejected: 0.2
        key: [visit_id]
        on_key_conflict: reject
        columns:
          visit_id: {type: bigint, nullable: false}
          seen_at: {type: timestamp, nullable: false}
          ward: {type: text, allowed: [north, south, east]}
          weight: {type: double, from: ["weight(kg)"], min: 20, max: 250, unit: kg}
          readings: {type: integer, min: 0}
          note: {type: text}
          outcome: {type: text, allowed: ["yes", "no"], optional: true}

        """

    package static let silver = """
        SELECT visit_id, seen_at, ward, weight, readings, note, outcome
        FROM bronze.visits
        WHERE weight IS NOT NULL

        """

    package static let gold = """
        SELECT visit_id, ward, weight, readings, weight / nullif(readings, 0) AS weight_per_reading, note, outcome
        FROM silver.visits

        """

    package static let header = "visit_id,seen_at,ward,weight(kg),readings,note,outcome"

    /// Data rows with these ids; the same ids give the same rows.
    package static func rows(_ ids: Range<Int>, labelled: Bool = true) -> [String] {
        var generator = SeededGenerator(seed: UInt64(ids.lowerBound + 1))
        return ids.map { id in
            let weight = 60 + Int(generator.uniform() * 500) / 10
            let readings = Int(generator.uniform() * 9)
            let ward = ["north", "south", "east"][Int(generator.uniform() * 3)]
            let isLong = generator.uniform() < (weight > 85 ? 0.75 : 0.2)
            let day = id % 28 + 1
            let cells = [
                "\(id)", "2026-03-\(day < 10 ? "0" : "")\(day)T08:\(10 + id % 50):00", ward, "\(weight).5",
                "\(readings)",
                id % 7 == 0 ? "\"a, b\"" : id % 5 == 0 ? "NA" : "plain",
            ]
            return (cells + (labelled ? [isLong ? "yes" : "no"] : [])).joined(separator: ",")
        }
    }

    package static func csv(_ rows: [String], header: String = header) -> String {
        ([header] + rows).joined(separator: "\n") + "\n"
    }

    /// Labelled visits 1 to 600 and three bad rows.
    package static let first = csv(
        rows(1..<601) + [
            "901,2026-03-01T08:00:00,west,80.5,1,plain,yes", "902,2026-03-01T08:00:00,north,8050,1,plain,yes",
            "903,yesterday,north,80.5,1,plain,no",
        ])

    /// Visits 1001 to 1040, whose outcome is not known: the file has no such column.
    package static let unlabelled = csv(
        rows(1001..<1041, labelled: false), header: String(header.dropLast(",outcome".count)))

    /// What every table of the project after its first run counts.
    package static let counts = [
        "bronze.visits": 640, "silver.visits": 640, "gold.visits": 640, "quarantine.visits": 3,
        "gold.predictions_stay": 40,
    ]
}
