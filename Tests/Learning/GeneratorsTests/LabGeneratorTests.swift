import Core
import Generators
import Testing

struct LabGeneratorTests {
    private static let small = 3_000

    @Test(arguments: [7, 1] as [UInt64])
    func `shows the process's figures at 50,000 experiments, with a file for every day and log`(seed: UInt64) throws {
        let files = try LabFiles(experiments: 50_000, seed: seed)
        #expect(files.paths.count == 4 * 540 + 1)
        for source in LabGenerator.sources { #expect(files.days(of: source).count == 540) }
        let figures = LabFigures(files)
        #expect(figures.unmatched == 0)
        for (name, mean, deviation) in LabFigures.bands {
            let band = max(4 * deviation, abs(mean) * 0.005)
            let value = try #require(figures.values[name])
            #expect(abs(value - mean) <= band, "\(name) is \(value), not \(mean) ± \(band)")
        }
    }

    @Test func `the same seed gives the same files and another seed others`() throws {
        let first = try LabSamples.small.get()
        let again = try LabFiles(experiments: Self.small, seed: 5)
        let other = try LabFiles(experiments: Self.small, seed: 8)
        #expect(first.paths == again.paths)
        #expect(first.bytes == again.bytes)
        #expect(first.bytes.filter { other.bytes[$0.key] == $0.value }.isEmpty)
    }

    @Test func `the bytes of a seed do not change from release to release`() throws {
        var digest = DigestBuilder()
        try LabGenerator(experiments: 500, seed: 7).write { path, bytes in
            digest.update(Array(path.utf8))
            digest.update(bytes)
        }
        #expect(digest.finish().short == "2757c290215d")
    }

    @Test func `writes the columns of the four logs, and the mark of made-up rows in each row`() throws {
        let files = try LabSamples.small.get()
        let columns = [
            (
                source: "workflow_logs",
                header: "experiment_id submitted_ts experiment_type priority scientist_id experience instrument_id "
                    + "n_steps planned_start_ts planned_duration_min reagent_id required_units actual_end_ts delay_min "
                    + "delayed _synthetic"
            ),
            (
                source: "queue_logs",
                header: "queue_event_id experiment_id instrument_id enqueue_ts queue_length_at_enqueue "
                    + "backlog_min_at_enqueue lab_active_jobs_at_enqueue priority dequeue_ts wait_min _synthetic"
            ),
            (
                source: "instrument_telemetry",
                header: "ts instrument_id vibration_mm_s temperature_c pressure_bar error_count "
                    + "days_since_calibration _synthetic"
            ),
            (
                source: "reagent_logs",
                header: "ts reagent_id lot_id event_type quantity_units stock_after_units lot_expiry_ts lot_qc_status "
                    + "expected_delivery_ts storage_excursion_48h _synthetic"
            ),
        ]
        #expect(columns.map(\.source) == LabGenerator.sources)
        for (source, header) in columns {
            let log = files.log(source)
            #expect(log.header.joined(separator: " ") == header)
            #expect(log.isRegular)
            #expect(Set(log.texts("_synthetic")) == ["true"])
        }
    }

    @Test func `keeps the true probabilities out of the logs, and they are right on the whole`() throws {
        let files = try LabSamples.plain.get()
        let others = files.paths.filter { path in !LabGenerator.sources.contains { path.hasPrefix("\($0)/") } }
        #expect(others == ["truth.csv"])
        let truth = files.truth
        #expect(truth.header == ["experiment_id", "p_delayed", "_synthetic"])
        #expect(truth.texts("experiment_id") == files.log("workflow_logs").texts("experiment_id"))
        let probabilities = truth.numbers("p_delayed")
        let expected = probabilities.reduce(0, +)
        let deviation = probabilities.reduce(0) { $0 + $1 * (1 - $1) }.squareRoot()
        let delayed = files.log("workflow_logs").numbers("delayed").reduce(0, +)
        #expect(abs(delayed - expected) < 4 * deviation)
        for source in LabGenerator.sources {
            #expect(files.log(source).header.allSatisfy { !$0.contains("true_p") && !$0.contains("p_delayed") })
        }
    }

    @Test func `keys are unique`() throws {
        let files = try LabSamples.small.get()
        func distinct(_ source: String, _ key: [String]) -> Int {
            let log = files.log(source)
            var keys = [String](repeating: "", count: log.count)
            for column in key { keys = zip(keys, log.texts(column)).map { "\($0)|\($1)" } }
            return log.count - Set(keys).count
        }
        #expect(distinct("workflow_logs", ["experiment_id"]) == 0)
        #expect(distinct("workflow_logs", ["submitted_ts"]) == 0)
        #expect(distinct("queue_logs", ["queue_event_id"]) == 0)
        #expect(distinct("reagent_logs", ["ts", "reagent_id", "event_type"]) == 0)
        #expect(files.log("workflow_logs").texts("experiment_id") == files.log("queue_logs").texts("experiment_id"))
        #expect(files.log("workflow_logs").count == Self.small)
        let telemetry = files.log("instrument_telemetry")
        let readings = zip(telemetry.seconds("ts"), telemetry.suffixes("instrument_id")).map { ($0 ?? 0) * 25 + $1 }
        #expect(readings.count == 324_000)
        #expect(Set(readings).count == 324_000)
    }

    @Test(arguments: [
        ("workflow_logs", "submitted_ts"), ("queue_logs", "enqueue_ts"), ("instrument_telemetry", "ts"),
        ("reagent_logs", "ts"),
    ])
    func `each row is filed under the day it was written, in order of time`(source: String, time: String) throws {
        let files = try LabSamples.small.get()
        var last = 0
        for path in files.days(of: source) {
            let log = LabLog([files.bytes[path] ?? []])
            #expect(log.count > 0)
            let day = String(path.dropFirst(source.utf8.count + 1).dropLast(4))
            #expect(log.texts(time).allSatisfy { $0.hasPrefix("\(day)T") })
            for second in log.seconds(time) {
                let second = try #require(second)
                #expect(second >= last)
                last = second
            }
        }
        #expect(last / 86_400 >= 538)
    }

    @Test func `an experiment's times and label follow from its plan and delay`() throws {
        let files = try LabSamples.small.get()
        let workflow = files.log("workflow_logs")
        let submitted = workflow.seconds("submitted_ts").compactMap(\.self)
        let starts = workflow.seconds("planned_start_ts").compactMap(\.self)
        let ends = workflow.seconds("actual_end_ts").compactMap(\.self)
        let planned = workflow.numbers("planned_duration_min")
        let delays = workflow.numbers("delay_min")
        let delayed = workflow.numbers("delayed")
        let queue = files.log("queue_logs")
        let enqueued = queue.seconds("enqueue_ts").compactMap(\.self)
        let dequeued = queue.seconds("dequeue_ts").compactMap(\.self)
        let waits = queue.numbers("wait_min")
        try #require([starts, ends, enqueued, dequeued].allSatisfy { $0.count == Self.small })
        #expect(enqueued == submitted)
        for row in 0..<Self.small {
            #expect(starts[row] > submitted[row])
            #expect(15...480 ~= planned[row])
            #expect(abs(Double(ends[row] - starts[row]) - (planned[row] + delays[row]) * 60) < 1.1)
            #expect(delays[row] >= -0.3 * planned[row] - 0.001)
            #expect(delayed[row] == (delays[row] > 30 ? 1 : 0))
            #expect(abs(Double(dequeued[row] - enqueued[row]) - waits[row] * 60) < 1.5)
        }
    }

    @Test func `a reagent's stock changes by what its rows say, and deliveries come when they were expected`() throws {
        let log = try LabSamples.plain.get().log("reagent_logs")
        let kinds = log.texts("event_type")
        let reagents = log.suffixes("reagent_id")
        let times = log.seconds("ts")
        let expected = log.seconds("expected_delivery_ts")
        let quantities = log.numbers("quantity_units")
        let stocks = log.numbers("stock_after_units")
        var last: [Int: Int] = [:]
        for row in kinds.indices {
            defer { last[reagents[row]] = row }
            guard let before = last[reagents[row]] else { continue }
            #expect(abs(stocks[before] + quantities[row] - stocks[row]) < 0.001)
            switch kinds[row] {
            case "receive":
                #expect(quantities[row] > 0 && expected[row] == nil)
                guard kinds[before] != "discard", let expected = expected[before] else { continue }
                #expect(times[row] == expected)
            case "consume": #expect(quantities[row] < 0)
            case "stockout": #expect(quantities[row] == 0)
            default: #expect(stocks[row] == 0)
            }
        }
        #expect(Set(kinds) == ["receive", "consume", "stockout", "discard"])
    }

    @Test(arguments: [0, -1, 1_000_001])
    func `refuses a senseless count of experiments`(experiments: Int) throws {
        let error = #expect(throws: MartletError.self) {
            try LabGenerator(experiments: experiments, seed: 1).write { _, _ in }
        }
        #expect(error?.code == "generate.experiments")
    }

    @Test func `stops when the sink throws`() throws {
        struct Full: Error {}
        var files = 0
        #expect(throws: Full.self) {
            try LabGenerator(experiments: 100, seed: 1).write { _, _ in
                files += 1
                if files == 3 { throw Full() }
            }
        }
        #expect(files == 3)
    }

    @Test func `one experiment is enough`() throws {
        let files = try LabFiles(experiments: 1, seed: 1)
        #expect(files.log("workflow_logs").count == 1)
        #expect(files.days(of: "workflow_logs").count == 1)
        #expect(files.days(of: "instrument_telemetry").count == 540)
    }
}
