import Core
import Foundation
import Training

// How often the interval of the calibration error holds the true one: `ecebench SIMULATIONS ROWS…`, a line of JSON for
// each distribution of scores, shape of miscalibration and count of rows. Made-up scores have a known error.

/// Scores whose quantiles are known: the power of a uniform number.
struct Scores {
    let name: String
    let power: Double
    func score(_ u: Double) -> Double { pow(u, power) }
}

struct Shape {
    let name: String
    let outcome: (Double) -> Double
}

let distributions = [Scores(name: "uniform", power: 1), Scores(name: "low", power: 3)]
let shapes =
    [Shape(name: "calibrated") { $0 }]
    + [0.003, 0.01, 0.02, 0.05, -0.01, -0.03].map { by in Shape(name: "shift \(by)") { min(1, max(0, $0 + by)) } }
    + [0.015, 0.04, 0.08].map { by in Shape(name: "sinusoid \(by)") { min(1, max(0, $0 + by * sin(4 * .pi * $0))) } }
    + [0.95, 0.9, 0.7].map { by in Shape(name: "over-confident \(by)") { 1 / (1 + pow(1 / max($0, 1e-12) - 1, by)) } }
    + [1.3].map { by in Shape(name: "under-confident \(by)") { 1 / (1 + pow(1 / max($0, 1e-12) - 1, by)) } }

/// The root of the mean over 15 bins of equal mass of the squared mean gap.
func truth(_ scores: Scores, _ shape: Shape) -> Double {
    let steps = 20_000
    let squares = (0..<15).map { bin in
        let gaps = (0..<steps).map { step in
            let p = scores.score((Double(bin) + (Double(step) + 0.5) / Double(steps)) / 15)
            return p - shape.outcome(p)
        }
        let mean = gaps.reduce(0, +) / Double(steps)
        return mean * mean
    }
    return (squares.reduce(0, +) / 15).squareRoot()
}

let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
guard numbers.count >= 2, numbers.allSatisfy({ $0 > 0 }) else {
    FileHandle.standardError.write(Data("usage: ecebench SIMULATIONS ROWS…\n".utf8))
    exit(64)
}
for rows in numbers.dropFirst() {
    for scores in distributions {
        for shape in shapes {
            var generator = SeededGenerator(seed: 42, stream: rows)
            let truth = truth(scores, shape)
            var (below, above, highs) = (0, 0, 0.0)
            for _ in 0..<numbers[0] {
                let probabilities = (0..<rows).map { _ in scores.score(generator.uniform()) }
                let labels = probabilities.map { generator.uniform() < shape.outcome($0) ? UInt8(1) : 0 }
                let found = try BinaryEvaluation(
                    labels: labels, probabilities: probabilities, threshold: 0.5, bootstrap: nil)[.ece]
                guard let low = found.low, let high = found.high else { continue }
                if truth < low { below += 1 }
                if truth > high { above += 1 }
                highs += high
            }
            let count = Double(numbers[0])
            print(
                try JSON.text([
                    "rows": JSONValue.integer(Int64(rows)), "scores": .text(scores.name), "shape": .text(shape.name),
                    "truth": .number(truth), "covered": .number((count - Double(below) - Double(above)) / count),
                    "below": .number(Double(below) / count), "above": .number(Double(above) / count),
                    "mean_high": .number(highs / count),
                ]))
        }
    }
}
