import Core
import Foundation
import Testing
import Training

/// The interval's coverage; `make bench NAME=ece` is the long form.
@Suite struct `The calibration error` {
    struct Shape: Sendable, CustomTestStringConvertible {
        let name: String
        let outcome: @Sendable (Double) -> Double
        var testDescription: String { name }

        /// The root of the mean over the bins of the squared mean gap, for scores that are the square of a uniform number.
        var truth: Double {
            let squares = (0..<15).map { bin -> Double in
                let gaps = (0..<2000).map { step -> Double in
                    let u = (Double(bin) + (Double(step) + 0.5) / 2000) / 15
                    return u * u - outcome(u * u)
                }
                let mean = gaps.reduce(0, +) / 2000
                return mean * mean
            }
            return (squares.reduce(0, +) / 15).squareRoot()
        }
    }

    static let shapes = [
        Shape(name: "calibrated") { $0 },
        Shape(name: "shift") { min(1, $0 + 0.02) },
        Shape(name: "sinusoid") { min(1, max(0, $0 + 0.05 * sin(4 * .pi * $0))) },
        Shape(name: "over-confident") { 1 / (1 + pow(1 / max($0, 1e-9) - 1, 0.8)) },
    ]

    @Test(arguments: shapes)
    func `has an interval that covers it`(_ shape: Shape) throws {
        var generator = SeededGenerator(seed: 7)
        let truth = shape.truth
        var covered = 0
        for _ in 0..<500 {
            let scores = (0..<2000).map { _ in
                let u = generator.uniform()
                return u * u
            }
            let labels = scores.map { generator.uniform() < shape.outcome($0) ? UInt8(1) : 0 }
            let found = try BinaryEvaluation(labels: labels, probabilities: scores, threshold: 0.5, bootstrap: nil)[
                .ece]
            let (value, low, high) = (try #require(found.value), try #require(found.low), try #require(found.high))
            #expect(low <= value && low <= high && high > 0)
            if low <= truth, truth <= high { covered += 1 }
        }
        // 95 %, or 97.5 % where there is no error, and three standard errors of 500 simulations.
        #expect(covered >= 460 && (covered <= 490 || truth == 0), "\(covered) of 500 at \(truth)")
    }

    @Test func `has a wider interval for rows that come in groups`() throws {
        var generator = SeededGenerator(seed: 11)
        let shares = (0..<300).map { _ in generator.uniform() }
        var scores: [Double] = []
        var labels: [UInt8] = []
        for group in shares {
            let outcome: UInt8 = generator.uniform() < group ? 1 : 0
            // Five rows that have all but one score and one outcome.
            for step in 0..<5 {
                scores.append(group * 0.99 + Double(step) * 0.002)
                labels.append(outcome)
            }
        }
        let groups = (0..<1500).map { "g\($0 / 5)" }
        func ece(_ groups: [String]?) throws -> Estimate {
            try BinaryEvaluation(labels: labels, probabilities: scores, threshold: 0.5, groups: groups, bootstrap: nil)[
                .ece]
        }
        let (single, grouped) = (try ece(nil), try ece(groups))
        #expect(try #require(single.low) > 0, "taken singly, five copies look like a finding")
        #expect(grouped.low == 0)
        #expect(try #require(grouped.high) > #require(grouped.value))
    }
}
