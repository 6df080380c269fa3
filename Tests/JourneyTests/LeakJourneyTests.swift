import Core
import Testing

/// A leak planted into one of the examples.
struct PlantedLeak: CustomTestStringConvertible, Sendable {
    var template: String
    var file: String
    var old: String
    var new: String
    /// `nil`: it is none.
    var code: String?
    /// What the path names.
    var names: [String]

    var testDescription: String { "\(template): \(new.prefix(90))" }

    init(_ template: String, _ file: String, _ old: String, _ new: String, _ code: String?, _ names: String...) {
        self.template = template
        self.file = file
        self.old = old
        self.new = new
        self.code = code
        self.names = names
    }

    private static func stay(_ expression: String, join: String = "", _ code: String?, _ names: String...)
        -> PlantedLeak
    {
        var leak = PlantedLeak(
            "readmission", "transforms/gold/encounters.sql",
            "FROM silver.encounters\nJOIN history USING (encounter_id)",
            ", \(expression) AS planted FROM silver.encounters JOIN history USING (encounter_id) \(join)", code)
        leak.names = names
        return leak
    }

    private static func reading(_ expression: String, join: String = "", _ code: String?, _ names: String...)
        -> PlantedLeak
    {
        var leak = PlantedLeak(
            "downtime", "transforms/gold/readings.sql", "FROM silver.readings",
            ", \(expression) AS planted FROM silver.readings \(join)", code)
        leak.names = names
        return leak
    }

    private static func experiment(_ expression: String, join: String = "", _ code: String?, _ names: String...)
        -> PlantedLeak
    {
        var leak = PlantedLeak(
            "lab-delay", "transforms/gold/experiments.sql", "\nFROM joined",
            "\n, \(expression) AS planted FROM joined \(join)", code)
        leak.names = names
        return leak
    }

    private static func gold(_ old: String, _ new: String, _ code: String?, _ names: String...) -> PlantedLeak {
        var leak = PlantedLeak("lab-delay", "transforms/gold/experiments.sql", old, new, code)
        leak.names = names
        return leak
    }

    static let all: [PlantedLeak] = [
        experiment("delay_min", "leak.future-column", "bronze.workflow_logs.delay_min"),
        experiment(
            "avg(delay_min) OVER (PARTITION BY instrument_id ORDER BY submitted_ts ROWS BETWEEN 10 PRECEDING AND 1 PRECEDING)",
            "leak.future-column", "bronze.workflow_logs.delay_min"),
        experiment(
            "lead(priority) OVER (PARTITION BY instrument_id ORDER BY submitted_ts)", "leak.future",
            "gold.experiments.planted"),
        experiment(
            "count(*) OVER (PARTITION BY scientist_id, date_trunc('day', submitted_ts))", "leak.future",
            "gold.experiments.planted"),
        experiment(
            "x.w",
            join: "LEFT JOIN (SELECT experiment_id, wait_min AS w FROM bronze.queue_logs) AS x USING (experiment_id)",
            "leak.future-column", "bronze.queue_logs.wait_min"),
        experiment(
            "x.v",
            join:
                "LEFT JOIN (SELECT instrument_id, avg(vibration_mm_s) AS v FROM bronze.instrument_telemetry GROUP BY 1) AS x USING (instrument_id)",
            "leak.future-rows", "bronze.instrument_telemetry.vibration_mm_s"),
        experiment(
            "x.rate",
            join:
                "LEFT JOIN LATERAL (SELECT avg(h.delayed) AS rate FROM bronze.workflow_logs AS h WHERE h.instrument_id = joined.instrument_id AND h.submitted_ts < joined.submitted_ts) AS x ON true",
            "leak.", "bronze.workflow_logs.delayed"),
        experiment(
            "x.rate",
            join:
                "LEFT JOIN LATERAL (SELECT avg(h.delayed) AS rate FROM bronze.workflow_logs AS h WHERE h.instrument_id = joined.instrument_id AND h.actual_end_ts <= joined.submitted_ts) AS x ON true",
            nil),
        experiment("lag(priority) OVER (PARTITION BY instrument_id ORDER BY submitted_ts, experiment_id)", nil),
        gold(
            "(epoch(s.planned_start_ts) - epoch(s.submitted_ts)) / 60 AS buffer_min",
            "(epoch(s.actual_end_ts) - epoch(s.submitted_ts)) / 60 AS buffer_min", "leak.future-column",
            "buffer_min", "bronze.workflow_logs.actual_end_ts"),
        gold("s.submitted_ts > r.ts\n", "s.submitted_ts < r.ts\n", "leak.future-rows", "bronze.reagent_logs"),
        gold("s.submitted_ts >= q.dequeue_ts\n", "s.submitted_ts <= q.dequeue_ts\n", "leak.", "bronze.queue_logs"),
        stay("length(readmitted)", "leak.target", "silver.encounters.readmitted", "bronze.encounters.readmitted"),
        stay(
            "o.rate",
            join:
                "LEFT JOIN (SELECT patient_nbr, avg(CAST(readmitted = '<30' AS INTEGER)) AS rate FROM silver.encounters GROUP BY 1) AS o USING (patient_nbr)",
            "leak.target", "bronze.encounters.readmitted"),
        stay(
            "o.rate",
            join:
                "LEFT JOIN LATERAL (SELECT avg(CAST(h.readmitted = '<30' AS INTEGER)) AS rate FROM silver.encounters AS h WHERE h.patient_nbr = encounters.patient_nbr AND h.encounter_id <> encounters.encounter_id) AS o ON true",
            "leak.target", "bronze.encounters.readmitted"),
        stay(
            "o.rate",
            join:
                "LEFT JOIN LATERAL (SELECT avg(CAST(h.readmitted = '<30' AS INTEGER)) AS rate FROM silver.encounters AS h WHERE h.patient_nbr = encounters.patient_nbr AND h.encounter_id < encounters.encounter_id) AS o ON true",
            nil),
        stay("count(*) OVER (PARTITION BY patient_nbr)", "leak.future-rows", "bronze.encounters"),
        stay(
            "lead(encounter_id) OVER (PARTITION BY patient_nbr ORDER BY encounter_id) IS NOT NULL", "leak.future-rows",
            "bronze.encounters"),
        stay("lag(num_medications, 2) OVER (PARTITION BY patient_nbr ORDER BY encounter_id)", nil),
        PlantedLeak(
            "readmission", "transforms/gold/encounters.sql", "BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING",
            "BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", "leak.target", "history.earlier_lt30"),
        PlantedLeak(
            "readmission", "transforms/silver/encounters.sql", "diabetes_med,\n    readmitted",
            "diabetes_med || readmitted AS diabetes_med,\n    readmitted", "leak.target",
            "silver.encounters.diabetes_med (transforms/silver/encounters.sql, line"),
        reading("1 - failure", "leak.target", "bronze.readings.downtime"),
        reading("avg(failure) OVER (PARTITION BY machine_id)", "leak.target", "bronze.readings.downtime"),
        reading(
            "x.n",
            join:
                "LEFT JOIN (SELECT machine_id, count(*) AS n FROM bronze.readings WHERE downtime = 'Machine_Failure' GROUP BY 1) AS x USING (machine_id)",
            "leak.target", "bronze.readings.downtime"),
        reading(
            "lead(torque) OVER (PARTITION BY machine_id ORDER BY reading_date)", "leak.future-rows", "bronze.readings"),
        reading("torque / avg(torque) OVER (PARTITION BY machine_id)", "leak.future-rows", "torque"),
        reading("torque / avg(torque) OVER (PARTITION BY machine_id ORDER BY reading_date)", nil),
    ]
}

@Suite struct `Time as known then` {
    @Test(arguments: PlantedLeak.all) func `a planted leak is named with its path`(_ leak: PlantedLeak) throws {
        let place = try Sandbox()
        #expect(try place.martlet("init", "p", "--template", leak.template).code == 0)
        #expect(try place.martlet("lineage", "--project", "p").code == 0, "the example itself is clean")
        try place.edit("p/\(leak.file)", leak.old, leak.new)
        let outcome = try place.martlet("lineage", "--project", "p")
        #expect(outcome.code == (leak.code == nil ? 0 : 1), "\(outcome)")
        let doctor = try place.martlet("doctor", "--project", "p")
        #expect(doctor.code == outcome.code, "\(doctor)")
        for name in [leak.code].compactMap(\.self) + leak.names {
            #expect(outcome.errors.contains(name) && doctor.output.contains(name), "\(outcome)")
        }
    }

    @Test func `a run is refused before it trains`() throws {
        let place = try Sandbox()
        #expect(try place.martlet("generate", "downtime", "--rows", "300", "-o", "rows.csv").code == 0)
        #expect(try place.martlet("init", "p", "--template", "downtime", "--data", "rows.csv").code == 0)
        try place.edit("p/transforms/gold/readings.sql", "    failure\nFROM", "    failure, failure AS twin\nFROM")
        let run = try place.martlet("run", "--project", "p")
        #expect(run.code == 1 && run.errors.contains("leak.target") && run.errors.contains("twin"), "\(run)")
        #expect(try place.martlet("runs", "list", "--project", "p", "--json").json().list?.isEmpty == true)
        let one = try place.martlet("lineage", "twin", "--project", "p", "--json")
        #expect(try one.json().at("0.sources.0.leak") == .text("leak.target"), "\(one)")
        #expect(try place.martlet("lineage", "torque", "--project", "p").code == 0)
        let near = try place.martlet("lineage", "torqe", "--project", "p")
        #expect(near.code == 1 && near.errors.contains("Did you mean torque?"), "\(near)")
    }

    @Test func `replaying past moments finds a feature that knew what came later`() throws {
        let place = try Sandbox()
        #expect(try place.martlet("generate", "downtime", "--rows", "300", "-o", "rows.csv").code == 0)
        #expect(try place.martlet("init", "p", "--template", "downtime", "--data", "rows.csv").code == 0)
        #expect(try place.martlet("run", "--project", "p", "--to", "transform").code == 0)
        let clean = try place.martlet("replay", "--project", "p")
        #expect(clean.code == 0 && clean.output.contains("0 differences"), "\(clean)")
        try place.edit(
            "p/transforms/gold/readings.sql", "FROM silver.readings",
            ", avg(torque) OVER (PARTITION BY machine_id) AS sneaky FROM silver.readings")
        #expect(try place.martlet("run", "--project", "p", "--to", "transform").code == 0)
        let replay = try place.martlet("replay", "--project", "p")
        #expect(replay.code == 2 && replay.errors.contains("replay.differs"), "\(replay)")
        #expect(replay.output.contains("sneaky"), "\(replay)")
    }
}
