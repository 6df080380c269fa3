import Core
import Testing
import Training

private struct MetricCases: Decodable {
    struct Case: Decodable, CustomTestStringConvertible {
        let name: String
        let y: [UInt8]
        let p: [Double]
        let threshold: Double
        let groups: [String]
        let expected: [String: Double?]
        var testDescription: String { name }
    }

    let cases: [Case]

    static let all: [Case] = (try? fixture("metrics", as: MetricCases.self))?.cases ?? []
}

private struct Intervals: Decodable {
    let y: [UInt8]
    let p: [Double]
    let threshold: Double
    let groups: [String]
    let low: [String: Double]
    let high: [String: Double]
}

@Suite struct `an evaluation` {
    @Test func `has all its reference cases`() { #expect(MetricCases.all.count == 11) }

    @Test(arguments: MetricCases.all)
    fileprivate func `equals scikit-learn on the same scores`(_ sample: MetricCases.Case) throws {
        let found = try BinaryEvaluation(
            labels: sample.y, probabilities: sample.p, threshold: sample.threshold, groups: sample.groups,
            bootstrap: nil)
        for metric in BinaryTask.descriptor.metrics {
            let value = found[metric].value
            let expected = sample.expected[metric.rawValue] ?? nil
            if metric == .calibrationSlope || metric == .calibrationIntercept {
                guard sample.name != "certain and wrong", sample.p.count > 10 else { continue }
            }
            guard let expected else {
                #expect(value == nil, "\(metric.rawValue) should be undefined")
                continue
            }
            let difference = abs((value ?? .nan) - expected)
            #expect(difference <= 1e-9, "\(metric.rawValue) is \(String(describing: value)), not \(expected)")
        }
    }

    @Test(arguments: ["random", "clusters"])
    func `gives the calibration slope a cluster-robust interval`(_ name: String) throws {
        let sample = try #require(MetricCases.all.first { $0.name == name })
        let found = try BinaryEvaluation(
            labels: sample.y, probabilities: sample.p, threshold: 0.5, groups: sample.groups,
            bootstrap: Bootstrap(replicates: 20))
        for (metric, key) in [(Metric.calibrationSlope, "slope_se"), (.calibrationIntercept, "intercept_se")] {
            let error = try #require(sample.expected[key] ?? nil)
            let low = try #require(found[metric].low)
            let high = try #require(found[metric].high)
            #expect(abs((high - low) / 2 / 1.959963984540054 - error) < 1e-8)
        }
    }

    @Test func `brackets its metrics as a numpy bootstrap over the same clusters does`() throws {
        let reference = try fixture("bootstrap", as: Intervals.self)
        let found = try BinaryEvaluation(
            labels: reference.y, probabilities: reference.p, threshold: reference.threshold,
            groups: reference.groups, bootstrap: Bootstrap(replicates: 4000, seed: 1))
        for (name, low) in reference.low {
            let metric = Metric(name)
            let high = try #require(reference.high[name])
            let noise = 0.12 * (high - low)
            #expect(abs(try #require(found[metric].low) - low) < noise, "\(name)")
            #expect(abs(try #require(found[metric].high) - high) < noise, "\(name)")
        }
    }

    @Test func `repeats its intervals for the same seed and changes them for another`() throws {
        let sample = try #require(MetricCases.all.first { $0.name == "clusters" })
        func low(_ seed: Int) throws -> Double? {
            try BinaryEvaluation(
                labels: sample.y, probabilities: sample.p, threshold: 0.4, groups: sample.groups,
                bootstrap: Bootstrap(replicates: 200, seed: seed))[.rocAUC].low
        }
        #expect(try low(3) == low(3))
        #expect(try low(3) != low(4))
    }

    @Test func `has no interval from a single cluster`() throws {
        let found = try BinaryEvaluation(
            labels: [0, 1, 1], probabilities: [0.1, 0.8, 0.3], threshold: 0.5, groups: ["a", "a", "a"])
        #expect(found[.rocAUC] == Estimate(1))
    }

    @Test(arguments: [Double.nan, -0.1, 1.5, .infinity])
    func `refuses what is not a probability`(_ bad: Double) throws {
        let error = #expect(throws: MartletError.self) {
            try BinaryEvaluation(labels: [0, 1], probabilities: [0.2, bad], threshold: 0.5)
        }
        #expect(error?.code == "metrics.probability")
    }

    @Test func `refuses to evaluate nothing`() {
        let error = #expect(throws: MartletError.self) {
            try BinaryEvaluation(labels: [], probabilities: [], threshold: 0.5)
        }
        #expect(error?.code == "metrics.no-rows")
    }

    @Test func `counts cost per thousand rows beside calling none and calling all`() throws {
        let found = try BinaryEvaluation(
            labels: [1, 1, 0, 0, 0], probabilities: [0.9, 0.2, 0.6, 0.1, 0.1], threshold: 0.5,
            costs: Costs(falseNegative: 8, falsePositive: 1), bootstrap: nil)
        #expect(found.costPer1000?.value == 1800)
        #expect(found.costPer1000AlertNone == 3200)
        #expect(abs((found.costPer1000AlertAll ?? 0) - 600) < 1e-9)
    }

    @Test func `writes each metric under its own name and null for the undefined`() throws {
        let found = try BinaryEvaluation(labels: [0, 0], probabilities: [0.1, 0.2], threshold: 0.5, bootstrap: nil)
        let text = try json(found)
        #expect(text.contains(#""roc_auc":{"high":null,"low":null,"value":null}"#))
        #expect(text.contains(#""accuracy":{"high":null,"low":null,"value":1}"#))
        #expect(text.contains(#""base_rate":0"#))
        for metric in BinaryTask.descriptor.metrics { #expect(text.contains("\"\(metric.rawValue)\":{")) }
    }

    @Test func `reads back what it wrote`() throws {
        let sample = try #require(MetricCases.all.first)
        let found = try BinaryEvaluation(
            labels: sample.y, probabilities: sample.p, threshold: 0.3,
            costs: Costs(falseNegative: 2, falsePositive: 1), bootstrap: Bootstrap(replicates: 50))
        #expect(try roundTrip(found) == found)
    }
}
