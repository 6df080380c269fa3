import Core
import Registry
import SQLText
import SQLite
import TestSupport
import Testing

struct RunTests {
    let fixture: RegistryFixture
    var runs: RunStore { fixture.registry.runs }

    init() throws { fixture = try RegistryFixture() }

    @Test func `a run comes back with all its parts`() throws {
        let run = sample(fixture.virtual.id(), synthetic: true)
        try runs.record(run)
        var back = try runs.show(run.id)
        back.metrics.all.sort { ($0.part, $0.fold ?? -1, $0.name) < ($1.part, $1.fold ?? -1, $1.name) }
        var given = run
        given.metrics.all.sort { ($0.part, $0.fold ?? -1, $0.name) < ($1.part, $1.fold ?? -1, $1.name) }
        #expect(back == given)
        #expect(back.metrics["test", "npv"]?.value == nil)
    }

    @Test func `a run and the completion of its step are recorded together or not at all`() throws {
        let fingerprint = Digest(of: "f")
        let step = StepCompletion(step: "train", fingerprint: fingerprint, result: "r")
        var broken = sample(fixture.virtual.id())
        broken.metrics.all.append(Metric(part: "test", name: "roc_auc", value: 1))
        #expect(code { try runs.record(broken, finishing: step) } == "metadata.constraint")
        #expect(try runs.list() == [])
        #expect(try fixture.registry.steps.finishedResult(of: "train", fingerprint: fingerprint) == nil)
        try runs.record(sample(fixture.virtual.id()), finishing: step)
        #expect(try runs.list().count == 1)
        #expect(try fixture.registry.steps.finishedResult(of: "train", fingerprint: fingerprint) == "r")
    }

    @Test func `a run under way is concluded once`() throws {
        let run = sample(fixture.virtual.id())
        try runs.begin(run)
        #expect(try runs.show(run.id).status == .running)
        #expect(code { try runs.begin(run) } == "registry.recorded-run")
        try runs.record(run)
        #expect(code { try runs.record(run) } == "registry.recorded-run")
        #expect(code { try runs.begin(run) } == "registry.recorded-run")
        #expect(try runs.show(run.id).status == .finished)
    }

    @Test func `a run without an outcome is not recorded`() throws {
        #expect(code { try runs.record(sample("1", status: .running)) } == "registry.unfinished-run")
    }

    @Test func `what a kill left running is marked as interrupted`() throws {
        let killed = sample(fixture.virtual.id())
        let other = sample(fixture.virtual.id(), model: "other")
        try runs.begin(killed)
        try runs.begin(other)
        #expect(try runs.abandonRunning(model: "readmission") == [killed.id])
        #expect(try runs.abandonRunning(model: "readmission") == [])
        #expect(try runs.show(killed.id).status == .failed)
        #expect(try runs.show(killed.id).error == "interrupted")
        #expect(try runs.show(other.id).status == .running)
    }

    @Test func `lists the newest first, of one model, up to a limit`() throws {
        let ids = try (0..<6).map { n in
            let model = n.isMultiple(of: 2) ? "a" : "b"
            let run = sample(fixture.virtual.id(), model: model, status: n == 0 ? .failed : .finished)
            try runs.record(run)
            return run.id
        }
        #expect(try runs.list().map(\.id) == ids.reversed())
        #expect(try runs.list(model: "a").map(\.id) == [ids[4], ids[2], ids[0]])
        #expect(try runs.list(model: "a", limit: 1).map(\.id) == [ids[4]])
        #expect(try runs.list(status: .failed).map(\.error) == ["the table is empty"])
        try fixture.registry.models.register(run: ids[1], approval: .none)
        #expect(try runs.list(model: "b").map(\.version) == [nil, nil, 1])
        #expect(try runs.list(model: "b").map { $0.metrics["test", "roc_auc"]?.value } == [0.6875, 0.6875, 0.6875])
    }

    @Test func `a run is found by the beginning of its id`() throws {
        for id in ["ab10", "ab11", "cd"] {
            try runs.record(sample(id + String(repeating: "0", count: 32 - id.count)))
        }
        #expect(try runs.show("cd").id.hasPrefix("cd"))
        #expect(try runs.show("AB11").id.hasPrefix("ab11"))
        #expect(code { _ = try runs.show("ab") } == "registry.ambiguous-run")
        for text in ["", "ef", "xyz", "a%", "cd_"] {
            #expect(code { _ = try runs.show(text) } == "registry.unknown-run")
        }
    }

    @Test func `comparison shows what differs, side by side, in the order asked for`() throws {
        let first = sample(fixture.virtual.id(), seed: 1, auc: 0.70)
        var second = sample(fixture.virtual.id(), seed: 2, auc: 0.68)
        second.params["bagging"] = "0.5"
        try runs.record(first)
        try runs.record(second)
        let comparison = try runs.compare([second.id, first.id])
        #expect(comparison.runs.map(\.id) == [second.id, first.id])
        #expect(comparison.params.map(\.name) == ["bagging", "seed"])
        #expect(comparison.params.map(\.values) == [["0.5", nil], ["2", "1"]])
        #expect(comparison.metrics.map(\.name) == ["roc_auc"])
        #expect(comparison.metrics.map(\.values) == [[0.68, 0.70]])
        #expect(comparison.tables.map(\.name) == ["gold.encounters"])
        #expect(code { _ = try runs.compare([first.id]) } == "registry.nothing-to-compare")
    }

    @Test func `metrics are nested by part and name, null where undefined, folds in order`() throws {
        try runs.record(sample(fixture.virtual.id()))
        let run = try json(runs.show(runs.list()[0].id))
        let metrics = try #require(run["metrics"] as? [String: [String: [String: Any]]])
        #expect(metrics["test"]?["roc_auc"]?["value"] as? Double == 0.6875)
        #expect(metrics["test"]?["npv"]?.keys.sorted() == ["high", "low", "value"])
        #expect(metrics["test"]?["npv"]?["value"] is Double == false)
        #expect(metrics["cv"]?["roc_auc"]?["folds"] as? [Double] == [0.65, 0.67])
    }

    @Test(arguments: [
        (GateResult.Comparator.atLeast, 0.66, 0.66, true, "≥"), (.atLeast, 0.66, 0.65, false, "<"),
        (.atMost, 0.1, 0.1, true, "≤"), (.atMost, 0.1, 0.2, false, ">"),
    ])
    func `a gate says how it came out`(
        _ comparator: GateResult.Comparator, _ bound: Double, _ value: Double, _ passed: Bool, _ sign: String
    ) {
        let gate = GateResult(part: "test", metric: "m", comparator: comparator, bound: bound, value: value)
        #expect(gate.passed == passed)
        #expect(gate.description == "test m \(value) \(sign) \(bound)")
        #expect(!GateResult(part: "cv", metric: "m", comparator: comparator, bound: bound, value: nil).passed)
    }
}
