/// The four logs of one day, as CSV.
struct LabDayFiles {
    static let workflow = [
        "experiment_id", "submitted_ts", "experiment_type", "priority", "scientist_id", "experience", "instrument_id",
        "n_steps", "planned_start_ts", "planned_duration_min", "reagent_id", "required_units", "actual_end_ts",
        "delay_min", "delayed", "_synthetic",
    ]
    static let queue = [
        "queue_event_id", "experiment_id", "instrument_id", "enqueue_ts", "queue_length_at_enqueue",
        "backlog_min_at_enqueue", "lab_active_jobs_at_enqueue", "priority", "dequeue_ts", "wait_min", "_synthetic",
    ]
    static let telemetry = [
        "ts", "instrument_id", "vibration_mm_s", "temperature_c", "pressure_bar", "error_count",
        "days_since_calibration", "_synthetic",
    ]
    static let reagents = [
        "ts", "reagent_id", "lot_id", "event_type", "quantity_units", "stock_after_units", "lot_expiry_ts",
        "lot_qc_status", "expected_delivery_ts", "storage_excursion_48h", "_synthetic",
    ]

    /// The outcome of an experiment: times and delay.
    struct Outcome {
        /// Hundredths of a minute.
        let delay: Int
        let delayed: Bool
    }

    private var workflow = CSVText(header: Self.workflow)
    private var queue = CSVText(header: Self.queue)
    private var telemetry = CSVText(header: Self.telemetry)
    private var reagents = CSVText(header: Self.reagents)
    private var hasExperiments = false
    private var hasEvents = false

    static func experimentID(_ row: Int) -> String { "EXP-\(LabClock.padded(row, to: 6))" }

    mutating func appendTelemetry(of day: Int, _ source: LabTelemetry, _ crew: LabCrew) {
        for hour in day * 24..<(day + 1) * 24 {
            let time = LabClock.text(second: hour * 3_600)
            for (index, instrument) in crew.instruments.enumerated() {
                let reading = source.reading(index, hour: hour)
                telemetry.field(time)
                telemetry.field(instrument.name)
                telemetry.field(reading.lost ? nil : reading.vibration, decimals: 3)
                telemetry.field(reading.lost ? nil : reading.temperature, decimals: 2)
                telemetry.field(reading.lost ? nil : reading.pressure, decimals: 3)
                telemetry.field(reading.errors)
                telemetry.field(source.calibrationAge(index, day: day))
                telemetry.field("true")
                telemetry.endRow()
            }
        }
    }

    /// The experiment's rows in the workflow log and in the queue log.
    mutating func append(_ row: Int, _ delay: LabDelay, _ outcome: Outcome) {
        let experiment = delay.experiment
        hasExperiments = true
        let start = experiment.second + experiment.buffer
        // Tenths and hundredths of a minute are 6 and 0.6 seconds.
        let length = Int((experiment.duration * 10).rounded()) * 60 + outcome.delay * 6
        let priority = LabTables.priorities.levels[experiment.priority].value
        let submitted = LabClock.text(second: experiment.second)
        workflow.field(Self.experimentID(row))
        workflow.field(submitted)
        workflow.field(LabTables.experimentTypes.levels[experiment.type].value)
        workflow.field(priority)
        workflow.field(LabTables.scientists.levels[experiment.scientist].value)
        workflow.field(LabTables.experience.levels[delay.experience].value)
        workflow.field(delay.instrument.name)
        workflow.field(experiment.steps)
        workflow.field(LabClock.text(second: start))
        workflow.field(experiment.duration, decimals: 1)
        workflow.field(Self.reagentID(experiment.reagent))
        workflow.field(experiment.units)
        workflow.field(LabClock.text(second: start + length / 10))
        workflow.field(Double(outcome.delay) / 100, decimals: 2)
        workflow.field(outcome.delayed ? 1 : 0)
        workflow.field("true")
        workflow.endRow()

        queue.field(row)
        queue.field(Self.experimentID(row))
        queue.field(delay.instrument.name)
        queue.field(submitted)
        queue.field(delay.queue.length)
        queue.field(delay.queue.backlog, decimals: 2)
        queue.field(delay.queue.active)
        queue.field(priority)
        queue.field(LabClock.text(second: experiment.second + Int(delay.wait * 60)))
        queue.field(delay.wait, decimals: 2)
        queue.field("true")
        queue.endRow()
    }

    mutating func append(_ event: LabReagents.Event) {
        hasEvents = true
        reagents.field(LabClock.text(second: event.second))
        reagents.field(Self.reagentID(event.reagent))
        reagents.field("LOT-\(LabClock.padded(event.after.lot, to: 4))")
        reagents.field(event.kind.rawValue)
        reagents.field(Double(event.quantity) / 100, decimals: 2)
        reagents.field(Double(event.after.stock) / 100, decimals: 2)
        reagents.field(LabClock.text(second: event.after.expiry))
        reagents.field(event.after.borderline ? "borderline" : "pass")
        reagents.field(event.after.arrival.map { LabClock.text(second: $0) } ?? "")
        reagents.field(event.excursion ? 1 : 0)
        reagents.field("true")
        reagents.endRow()
    }

    /// Hands over the files that have rows.
    mutating func write(day: Int, to sink: (_ path: String, _ bytes: [UInt8]) throws -> Void) throws {
        let name = "\(LabClock.date(ofDay: day)).csv"
        if hasExperiments {
            try workflow.flush(to: { try sink("workflow_logs/\(name)", $0) }, above: 0)
            try queue.flush(to: { try sink("queue_logs/\(name)", $0) }, above: 0)
        }
        try telemetry.flush(to: { try sink("instrument_telemetry/\(name)", $0) }, above: 0)
        if hasEvents { try reagents.flush(to: { try sink("reagent_logs/\(name)", $0) }, above: 0) }
    }

    private static func reagentID(_ reagent: Int) -> String { "RG-\(LabClock.padded(reagent, to: 2))" }
}
