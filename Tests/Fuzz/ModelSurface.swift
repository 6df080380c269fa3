import Core
import Foundation

@testable import Forests

/// Model files: LightGBM's text, XGBoost's JSON and UBJSON, told apart by how they begin.
enum ModelSurface {
    private static let odd: [Double] = [
        .nan, .infinity, -.infinity, 0, -0.0, 1e-35, -1e-35, 1.0000000180025095e-35, 5e-324, 1e-40, 1e39, -1e300, 0.5,
        -0.5,
        1, 2, 3, 7, 31, 32, 33, 64, -1, -0.999, 16_777_215, 16_777_216, 2_147_483_647, 2_147_483_648, 1e6, 0.25,
    ]

    static func run(_ body: UnsafeRawBufferPointer) {
        let bytes = Array(body)
        if bytes.starts(with: "tree".utf8) {
            evaluate("LightGBM", { try CompactForest(lightGBM: bytes) }) {
                var file = LightGBMFile(bytes)
                return try file.forest()
            }
            return
        }
        if let model = JSONValue(parsing: bytes) {
            xgboost("XGBoost JSON", model) { try CompactForest(xgboostJSON: bytes) }
            return
        }
        if let model = BinaryJSON.value(of: bytes) {
            demand(same(BinaryJSON.value(of: encoded(model)), model), "UBJSON written again reads alike")
            xgboost("XGBoost UBJSON", model) { try CompactForest(xgboostUBJ: bytes) }
        }
    }

    private static func xgboost(_ what: String, _ model: JSONValue, _ read: () throws -> CompactForest) {
        evaluate(what, read) { try XGBoostFile(model: model).forest() }
    }

    private static func evaluate(
        _ what: String, _ read: () throws -> CompactForest, _ parse: () throws -> ParsedForest
    ) {
        let forest: CompactForest
        do { forest = try read() } catch {
            demand(error is MartletError, "\(what): a refusal is an error for people, not \(error)")
            return
        }
        guard let parsed = try? parse() else { return demand(false, "\(what): what is read is parsed") }
        let width = forest.featureCount
        guard width <= 2_048 else { return }
        demand(width == parsed.featureNames.count, "\(what): names and features")
        // Odd numbers, and the forest's own thresholds with their neighbours.
        var pool = odd
        for tree in parsed.trees.prefix(4) {
            for node in tree.prefix(8) where !node.isLeaf {
                pool += [node.threshold, node.threshold.nextUp, node.threshold.nextDown]
            }
        }
        let count = 67
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        let rows = (0..<count * width).map { _ -> Double in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return pool[Int(state >> 33) % pool.count]
        }
        check(what, forest, parsed, rows, count)
    }

    private static func check(
        _ what: String, _ forest: CompactForest, _ parsed: ParsedForest, _ rows: [Double], _ count: Int
    ) {
        let width = forest.featureCount
        var single = [Double](repeating: 0, count: count)
        rows.withUnsafeBufferPointer { rows in
            for row in 0..<count {
                let one = UnsafeBufferPointer(rebasing: rows[row * width..<(row + 1) * width])
                let margin = forest.margin(of: one)
                single[row] = forest.score(of: one)
                demand(alike(margin, byNodes(parsed, one)), "\(what): row \(row): \(margin) is the sum node by node")
                demand(margin.isFinite ? single[row].isFinite : true, "\(what): a finite margin has a finite score")
                if parsed.link != .identity, !margin.isNaN {
                    demand((0...1).contains(single[row]), "\(what): \(single[row]) is a probability")
                }
                if row < 3 { explain(what, forest, parsed, one, margin) }
                plant(abs(margin) > 1e6 ? 3 : abs(margin) > 1e3 ? 2 : abs(margin) > 30 ? 1 : 0)
            }
            for size in [count, 8, 3] {
                var batch = [Double](repeating: 0, count: size)
                batch.withUnsafeMutableBufferPointer {
                    forest.score(rows: UnsafeBufferPointer(rebasing: rows[..<(size * width)]), count: size, into: $0)
                }
                for row in 0..<size {
                    demand(
                        alike(batch[row], single[row]),
                        "\(what): row \(row) alone \(single[row]), of \(size) \(batch[row])")
                }
            }
        }
    }

    private static func alike(_ one: Double, _ other: Double) -> Bool {
        one.bitPattern == other.bitPattern || (one.isNaN && other.isNaN)
    }

    private static func byNodes(_ forest: ParsedForest, _ row: UnsafeBufferPointer<Double>) -> Double {
        var (doubles, floats) = (forest.base, Float(forest.base))
        for tree in forest.trees {
            var index = 0
            while !tree[index].isLeaf {
                let node = tree[index]
                let value = forest.family.reading(row[Int(node.feature)])
                index = Int(node.goesLeft(value, forest.family, forest.sets) ? node.left : node.right)
            }
            doubles += tree[index].value
            floats += Float(tree[index].value)
        }
        return forest.family == .lightGBM ? doubles : Double(floats)
    }

    private static func explain(
        _ what: String, _ forest: CompactForest, _ parsed: ParsedForest, _ row: UnsafeBufferPointer<Double>,
        _ margin: Double
    ) {
        let shares = forest.contributions(of: row)
        demand(shares.count == forest.featureCount + 1, "\(what): a share for each feature and the base")
        // Shares add up where the counts do.
        let isCounted = parsed.trees.allSatisfy { tree in
            tree.allSatisfy { node in
                if node.isLeaf { return node.cover >= 1 && node.cover < 1e6 && abs(node.value) < 1e6 }
                return node.cover == tree[Int(node.left)].cover + tree[Int(node.right)].cover
            } && tree.count < 64
        }
        guard isCounted, margin.isFinite else { return }
        let scale = shares.reduce(abs(margin)) { $0 + abs($1) }
        demand(
            abs(shares.reduce(0, +) - margin) <= 1e-5 * max(1, scale), "\(what): \(shares) add up to \(margin)")
    }

    private static func same(_ one: JSONValue?, _ other: JSONValue) -> Bool {
        switch (one, other) {
        case (.number(let one), .number(let other)): alike(one, other)
        case (.list(let one), .list(let other)): one.count == other.count && zip(one, other).allSatisfy { same($0, $1) }
        case (.object(let one), .object(let other)):
            one.count == other.count && other.allSatisfy { same(one[$0], $1) }
        default: one == other
        }
    }

    private static func encoded(_ value: JSONValue) -> [UInt8] {
        func long(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
        func text(_ text: String) -> [UInt8] { [UInt8(ascii: "L")] + long(UInt64(text.utf8.count)) + text.utf8 }
        switch value {
        case .null: return [UInt8(ascii: "Z")]
        case .flag(let flag): return [UInt8(ascii: flag ? "T" : "F")]
        case .integer(let value): return [UInt8(ascii: "L")] + long(UInt64(bitPattern: value))
        case .number(let value): return [UInt8(ascii: "D")] + long(value.bitPattern)
        case .text(let value): return [UInt8(ascii: "S")] + text(value)
        case .list(let items): return [UInt8(ascii: "[")] + items.flatMap { encoded($0) } + [UInt8(ascii: "]")]
        case .object(let members):
            return [UInt8(ascii: "{")] + members.flatMap { text($0) + encoded($1) } + [UInt8(ascii: "}")]
        }
    }
}
