internal import Core

/// Generates synthetic laboratory logs over 540 days from 2024-07-01, for predicting delayed experiments.
///
/// ```swift
/// try LabGenerator(experiments: 50_000, seed: 42).write { path, bytes in
///     try Disk.replaceDurably("\(folder)/\(path)", bytes)
/// }
/// ```
///
/// Four logs: submitted experiments, the instruments' queues, their hourly telemetry, and the reagents' stock. An
/// experiment is delayed when it ends more than 30 minutes after its plan; what predicts it is spread over the four
/// logs.
///
/// An experiment's row is filed under the day of its submission. The columns `actual_end_ts`, `delay_min`, `delayed`,
/// `dequeue_ts` and `wait_min` are known only later. The same experiments, seed and drift give the same bytes on every
/// machine; a drift changes nothing before `LabDrift.firstDay`.
package struct LabGenerator: Sendable {
    /// Number of experiments, 1 ... 1,000,000.
    package let experiments: Int
    /// Seed of the random numbers: the same seed, experiments and drift give the same bytes.
    package let seed: UInt64
    /// The change from `LabDrift.firstDay` on; `nil` for none.
    package let drift: LabDrift?

    package init(experiments: Int = 50_000, seed: UInt64, drift: LabDrift? = nil) {
        self.experiments = experiments
        self.seed = seed
        self.drift = drift
    }

    /// Names of the four logs: folders with one CSV file a day each.
    package static let sources = ["workflow_logs", "queue_logs", "instrument_telemetry", "reagent_logs"]

    /// Name of the file with the true probabilities (experiment_id, p_delayed), for grading only.
    package static let truthFile = "truth.csv"

    /// Generates the files: those of the four logs for each day, and the true probabilities last.
    ///
    /// Paths are like `workflow_logs/2024-07-01.csv`. Every file has a column `_synthetic` that is always `true`.
    ///
    /// A log without rows on a day has no file for it. From 50,000 experiments on that is rare (less than one run in a
    /// thousand), so that there are 2,160 daily files.
    ///
    /// - Parameter sink: receives each whole file; what it throws ends the writing.
    /// - Throws: a usage error if there are too few or too many experiments.
    package func write(to sink: (_ path: String, _ bytes: [UInt8]) throws -> Void) throws {
        guard 1...1_000_000 ~= experiments else {
            throw MartletError(
                .usage, "generate.experiments",
                "The laboratory can make up 1 to 1,000,000 experiments, not \(experiments).")
        }
        var laboratory = Laboratory(experiments: experiments, seed: seed, drift: drift)
        for day in 0..<LabClock.days {
            var files = laboratory.run(day: day)
            try files.write(day: day, to: sink)
        }
        try laboratory.truth.flush(to: { try sink(Self.truthFile, $0) }, above: 0)
    }
}

/// Simulation behind the logs, day by day.
private struct Laboratory {
    var truth = CSVText(header: ["experiment_id", "p_delayed", "_synthetic"])

    private let drift: LabDrift?
    private let crew: LabCrew
    private let arrivals: LabArrivals
    private let telemetry: LabTelemetry
    private var queue: LabQueue
    private var reagents: LabReagents
    private var noise: SeededGenerator
    private var next = 0

    init(experiments: Int, seed: UInt64, drift: LabDrift?) {
        self.drift = drift
        crew = LabCrew(seed: seed)
        arrivals = LabArrivals(experiments: experiments, seed: seed, drift: drift)
        telemetry = LabTelemetry(crew: crew, seed: seed, drift: drift)
        queue = LabQueue(crew: crew, seed: seed)
        reagents = LabReagents(dailyUse: arrivals.dailyUse, seed: seed)
        noise = LabStream.delay.generator(seed: seed)
    }

    mutating func run(day: Int) -> LabDayFiles {
        var files = LabDayFiles()
        files.appendTelemetry(of: day, telemetry, crew)
        while next < arrivals.experiments.count, arrivals.experiments[next].day == day {
            submit(next, &files)
            next += 1
        }
        reagents.receive(by: (day + 1) * LabClock.secondsPerDay - 1) { files.append($0) }
        return files
    }

    private mutating func submit(_ row: Int, _ files: inout LabDayFiles) {
        let experiment = arrivals.experiments[row]
        reagents.receive(by: experiment.second) { files.append($0) }
        reagents.startDay(at: experiment.second)
        let found = queue.assign(experiment)
        let delay = LabDelay(
            experiment: experiment,
            instrument: crew.instruments[found.instrument],
            queue: found,
            reagent: reagents.use(experiment.units, of: experiment.reagent, at: experiment.second) { files.append($0) },
            window: telemetry.window(found.instrument, before: experiment.second / 3_600),
            calibrationAge: telemetry.calibrationAge(found.instrument, day: experiment.day),
            workload: queue.workload(of: experiment),
            experience: crew.experience[experiment.scientist]
        )
        queue.enqueue(experiment, on: found.instrument, errors: delay.window.errors)

        let expected = delay.expected(drift: drift)
        let threshold = drift == .label && experiment.day >= LabDrift.firstDay ? 20 : 30
        let minutes = max(-0.3 * experiment.duration, expected + LabDelay.scale * noise.drawLogistic())
        // Rounded up, so that the label follows from the written delay and has exactly its true probability.
        let hundredths = Int((minutes * 100).rounded(.up))
        files.append(row, delay, LabDayFiles.Outcome(delay: hundredths, delayed: hundredths > threshold * 100))

        truth.field(LabDayFiles.experimentID(row))
        truth.field(logistic((expected - Double(threshold)) / LabDelay.scale), decimals: 9)
        truth.field("true")
        truth.endRow()
    }
}
