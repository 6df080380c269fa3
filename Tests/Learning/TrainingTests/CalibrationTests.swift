import Core
import Foundation
import Testing
import Training

private struct CalibrationCases: Decodable {
    struct Case: Decodable, CustomTestStringConvertible {
        let name: String
        let y: [UInt8]
        let p: [Double]
        let grid: [Double]
        let platt_slope: Double
        let platt_intercept: Double
        let platt_sklearn: [Double]
        let isotonic_x: [Double]
        let isotonic_y: [Double]
        let isotonic: [Double]
        var testDescription: String { name }
    }

    let cases: [Case]

    static let all: [Case] = (try? fixture("calibration", as: CalibrationCases.self))?.cases ?? []
}

@Suite struct `a calibration` {
    @Test func `has its reference cases`() { #expect(CalibrationCases.all.count == 2) }

    @Test(arguments: CalibrationCases.all)
    fileprivate func `by Platt equals the maximum likelihood line and scikit-learn's`(
        _ sample: CalibrationCases.Case
    ) throws {
        let found = try Calibration.fit(.platt, labels: sample.y, probabilities: sample.p)
        guard case .platt(let slope, let intercept) = found else {
            Issue.record("not a Platt line")
            return
        }
        #expect(abs(slope - sample.platt_slope) < 1e-9)
        #expect(abs(intercept - sample.platt_intercept) < 1e-9)
        #expect(gap(found.apply(sample.grid), sample.platt_sklearn) < 1e-4)
    }

    @Test(arguments: CalibrationCases.all)
    fileprivate func `by isotonic regression equals scikit-learn's`(_ sample: CalibrationCases.Case) throws {
        let found = try Calibration.fit(.isotonic, labels: sample.y, probabilities: sample.p)
        guard case .isotonic(let x, let y) = found else {
            Issue.record("not isotonic")
            return
        }
        #expect(gap(x, sample.isotonic_x) < 1e-12)
        #expect(gap(y, sample.isotonic_y) < 1e-12)
        #expect(gap(found.apply(sample.grid), sample.isotonic) < 1e-12)
    }

    @Test(arguments: Calibration.Kind.allCases)
    func `reads back what it wrote and never falls`(_ kind: Calibration.Kind) throws {
        let sample = try #require(CalibrationCases.all.first)
        let found = try Calibration.fit(kind, labels: sample.y, probabilities: sample.p)
        #expect(try roundTrip(found) == found)
        let along = found.apply((0...200).map { Double($0) / 200 })
        #expect(zip(along, along.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(along.allSatisfy { $0 >= 0 && $0 <= 1 })
    }

    @Test(arguments: [Calibration.Kind.platt, .isotonic], [[UInt8(1), 1, 1], [0, 0, 0]])
    func `refuses rows of one class`(_ kind: Calibration.Kind, _ labels: [UInt8]) {
        let error = #expect(throws: MartletError.self) {
            try Calibration.fit(kind, labels: labels, probabilities: [0.1, 0.2, 0.3])
        }
        #expect(error?.code == "calibration.single-class")
    }

    @Test func `refuses a probability that is not a number`() {
        let error = #expect(throws: MartletError.self) {
            try Calibration.fit(.isotonic, labels: [0, 1], probabilities: [0.1, .nan])
        }
        #expect(error?.code == "calibration.probability")
    }

    @Test func `by Platt refuses a model without discrimination`() {
        let error = #expect(throws: MartletError.self) {
            try Calibration.fit(.platt, labels: [0, 1, 0], probabilities: [0.3, 0.3, 0.3])
        }
        #expect(error?.code == "calibration.no-fit")
    }

    @Test func `by Platt stays finite on separated classes and certain scores`() throws {
        let found = try Calibration.fit(.platt, labels: [0, 0, 1, 1], probabilities: [0, 0, 1, 1])
        // The smoothed targets are (N+ + 1) / (N+ + 2) = 3/4 and 1 / (N- + 2) = 1/4.
        #expect(gap(found.apply([0, 1]), [0.25, 0.75]) < 1e-9)
    }
}

@Suite struct `a decision threshold` {
    private let costs = Costs(falseNegative: 8, falsePositive: 1)

    @Test func `is found where the cost is least`() throws {
        let p = [0.05, 0.1, 0.2, 0.3, 0.4, 0.6]
        let labels: [UInt8] = [0, 0, 0, 1, 0, 1]
        // At 0.3: no miss, one alarm. Nothing costs less.
        let found = try DecisionThreshold.leastCost(costs, labels: labels, probabilities: p)
        #expect(found.value == 0.3)
        #expect(found.theoretical == 1.0 / 9)
    }

    @Test func `is the theoretical one wherever that costs the same`() throws {
        let found = try DecisionThreshold.leastCost(
            costs, labels: [0, 0, 1, 1], probabilities: [0.01, 0.02, 0.5, 0.6])
        #expect(found.value == 1.0 / 9)
    }

    @Test func `is stored with its rule`() throws {
        for rule: ThresholdRule in [.cost(costs), .theoretical(costs), .fixed(0.3)] {
            #expect(try JSONDecoder().decode(ThresholdRule.self, from: JSONEncoder().encode(rule)) == rule)
        }
        #expect(ThresholdRule.theoretical(costs).costs == costs)
    }

    @Test func `calls no row where alarms cost more than misses`() throws {
        let found = try DecisionThreshold.leastCost(
            Costs(falseNegative: 1, falsePositive: 20), labels: [0, 1, 0], probabilities: [0.96, 0.97, 0.98])
        #expect(found.value > 0.98)
    }

    @Test(arguments: [(0.0, 1.0), (1, 0), (-1, 1), (.infinity, .infinity), (.nan, 1)])
    func `refuses costs that are not above 0`(_ miss: Double, _ alarm: Double) {
        let error = #expect(throws: MartletError.self) {
            try DecisionThreshold.leastCost(
                Costs(falseNegative: miss, falsePositive: alarm), labels: [0, 1], probabilities: [0.1, 0.2])
        }
        #expect(error?.code == "threshold.costs")
    }

    @Test(arguments: [-0.01, 1.01, .nan])
    func `refuses a fixed value outside 0 to 1`(_ value: Double) {
        #expect(throws: MartletError.self) { try DecisionThreshold.fixed(value) }
    }
}

@Suite struct `risk bands` {
    @Test(arguments: [(0.0, "low"), (0.099, "low"), (0.1, "medium"), (0.2, "high"), (1, "high")])
    func `name a probability`(_ p: Double, _ name: String) {
        #expect(RiskBands(medium: 0.1, high: 0.2).band(of: p).rawValue == name)
    }

    @Test(arguments: [(0.2, 0.1), (0.1, 0.1), (0, 0.5), (0.5, 1)])
    func `refuse bounds out of order`(_ medium: Double, _ high: Double) {
        #expect(throws: MartletError.self) { try RiskBands(medium: medium, high: high).check() }
    }
}

@Suite struct `a quality gate` {
    @Test func `passes at its bound and carries the interval`() {
        let found = QualityGate(.rocAUC, atLeast: 0.66).judge(Estimate(0.66, low: 0.64, high: 0.68))
        #expect(found.passed)
        #expect(found.low == 0.64 && found.high == 0.68 && found.atLeast == 0.66)
    }

    @Test func `says which bound was missed`() {
        let low = QualityGate(.rocAUC, atLeast: 0.66).judge(Estimate(0.6412))
        #expect(!low.passed)
        #expect(low.sentence == "roc_auc 0.6412 on the test part is below the floor of 0.66")
        let high = QualityGate(.ece, part: .cv, atMost: 0.01).judge(Estimate(0.02))
        #expect(high.sentence == "ece 0.02 in cross-validation is above the ceiling of 0.01")
    }

    @Test(arguments: [Estimate?.none, Estimate(nil), Estimate(.nan)])
    func `fails where the metric is not known`(_ estimate: Estimate?) {
        let found = QualityGate(.precision, atLeast: 0).judge(estimate)
        #expect(!found.passed)
        #expect(!found.sentence.isEmpty)
    }

    @Test func `on ece reads the upper end of its interval`() {
        let gate = QualityGate(.ece, atMost: 0.02)
        let lucky = gate.judge(Estimate(0.001, low: 0, high: 0.031))
        #expect(!lucky.passed && lucky.value == 0.001 && lucky.judged == 0.031 && lucky.atMost == 0.02)
        #expect(
            lucky.sentence
                == "ece 0.001, at most 0.031 by its 95 % interval, on the test part is above the ceiling of 0.02")
        #expect(gate.judge(Estimate(0.001, low: 0, high: 0.019)).passed)
        #expect(QualityGate(.brier, atMost: 0.2).judge(Estimate(0.1, low: 0, high: 0.3)).passed, "others: the value")
    }

    @Test func `needs a bound`() {
        #expect(throws: MartletError.self) { try QualityGate(.f1).check() }
    }
}
