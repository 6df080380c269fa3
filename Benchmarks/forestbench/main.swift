// What the benchmarks forest_equality and forest_speed run: our evaluator, and the peers' C libraries in one process.
//
//   forestbench predict LIST        each line: FORMAT MODEL ROWS OUT (FORMAT: lightgbm, json, ubj)
//   forestbench time FORMAT MODEL ROWS LIBRARY [ROUNDS]
//
// ROWS is a file of doubles, row after row. OUT takes, for each row, four doubles: margin, score, score of the batch,
// sum of the contributions; then the contributions of the first 20 rows.
import Forests
import Foundation

func bytes(_ path: String) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else {
        FileHandle.standardError.write(Data("forestbench: cannot read \(path)\n".utf8))
        exit(66)
    }
    return Array(data)
}

func forest(_ format: String, _ model: [UInt8]) throws -> CompactForest {
    switch format {
    case "json": try CompactForest(xgboostJSON: model)
    case "ubj": try CompactForest(xgboostUBJ: model)
    default: try CompactForest(lightGBM: model)
    }
}

func doubles(_ path: String) -> [Double] {
    bytes(path).withUnsafeBytes { Array($0.bindMemory(to: Double.self)) }
}

func predict(_ line: Substring) throws {
    let words = line.split(separator: " ").map(String.init)
    let model: CompactForest
    do { model = try forest(words[0], bytes(words[1])) } catch {
        try "\(error)".write(toFile: words[3], atomically: true, encoding: .utf8)
        print("refused \(words[1]): \(error)")
        return
    }
    let rows = doubles(words[2])
    let width = model.featureCount
    let count = rows.count / width
    var batch = [Double](repeating: 0, count: count)
    var out: [Double] = []
    var shares: [Double] = []
    rows.withUnsafeBufferPointer { rows in
        batch.withUnsafeMutableBufferPointer { model.score(rows: rows, count: count, into: $0) }
        for row in 0..<count {
            let one = UnsafeBufferPointer(rebasing: rows[row * width..<(row + 1) * width])
            var sum = Double.nan
            if row < 20 {
                let contributions = model.contributions(of: one)
                shares += contributions
                sum = contributions.reduce(0, +)
            }
            out += [model.margin(of: one), model.score(of: one), batch[row], sum]
        }
    }
    try (out + shares).withUnsafeBytes { Data($0) }.write(to: URL(fileURLWithPath: words[3]))
}

let arguments = CommandLine.arguments
switch arguments.dropFirst().first {
case "predict":
    for line in String(decoding: bytes(arguments[2]), as: UTF8.self).split(separator: "\n") { try predict(line) }
case "time" where arguments.count >= 6:
    let rounds = arguments.count > 6 ? Int(arguments[6]) ?? 7 : 7
    try time(arguments[2], arguments[3], arguments[4], arguments[5], rounds: rounds)
case "loop" where arguments.count >= 7:
    // For a profiler: loop single|batch|reasons FORMAT MODEL ROWS TIMES
    let model = try forest(arguments[3], bytes(arguments[4]))
    let rows = doubles(arguments[5])
    let width = model.featureCount
    let count = rows.count / width
    var out = [Double](repeating: 0, count: count)
    let began = seconds()
    rows.withUnsafeBufferPointer { rows in
        out.withUnsafeMutableBufferPointer { out in
            for _ in 0..<(Int(arguments[6]) ?? 1) {
                if arguments[2] == "batch" {
                    model.score(rows: rows, count: count, into: out)
                } else if arguments[2] == "reasons" {
                    for row in 0..<count {
                        let one = UnsafeBufferPointer(rebasing: rows[row * width..<(row + 1) * width])
                        out[row] = model.contributions(of: one).reduce(0, +)
                    }
                } else {
                    for row in 0..<count {
                        out[row] = model.score(of: UnsafeBufferPointer(rebasing: rows[row * width..<(row + 1) * width]))
                    }
                }
            }
        }
    }
    print((seconds() - began) / Double(count * (Int(arguments[6]) ?? 1)) * 1e6, "us per row")
default:
    print("usage: forestbench predict LIST | time FORMAT MODEL ROWS LIBRARY [ROUNDS]")
    exit(64)
}
