/// Finding of a feature that predicts the target almost perfectly alone, which suggests a leak.
///
/// ```swift
/// for finding in LeakageWarning.find(input.columns, labels: input.labels, rows: trainRows) { print(finding.sentence) }
/// ```
///
/// A number is judged by its rank, a category by the target's rate in each level with enough rows. A level of which
/// nearly every row has the rarer class is reported as well: a flag that names the outcome of some rows.
package struct LeakageWarning: Sendable, Equatable, Codable {
    /// Name of the feature's column.
    package var feature: String
    /// ROC-AUC of the feature alone on training rows, in the better direction.
    package var auc: Double?
    /// Level in which nearly all rows have the rarer class; `nil` when the whole feature is meant.
    package var level: String?
    /// Number of training rows with the level.
    package var rows: Int?
    /// Share of the rarer class among the rows with the level.
    package var rate: Double?

    /// The finding in words.
    package var sentence: String {
        if let level, let rows, let rate {
            let percent = (rate * 1000).rounded() / 10
            return "\(feature) = \(level) alone tells the target: \(percent) % of \(rows) training rows"
        }
        return "\(feature) alone tells the target: AUC \(((auc ?? 0) * 1000).rounded() / 1000) on training rows"
    }
}

extension LeakageWarning {
    private static let suspicious = 0.95
    private static let pure = 0.99
    private static let enough = 20
    /// A level says something only if it has this share of its class.
    private static let telling = 0.05
    /// Numbers with at most so many values are looked at value by value, too.
    private static let few = 20
    /// More rows say nothing new.
    private static let sample = 20_000

    /// Finds the features that predict the target alone, sorted by name.
    /// - Parameter rows: the training rows.
    package static func find(_ columns: [NamedColumn], labels: [UInt8?], rows: [Int]) -> [LeakageWarning] {
        let step = max(1, rows.count / sample)
        let chosen = stride(from: 0, to: rows.count, by: step).map { rows[$0] }
        let positive = chosen.map { labels[$0] == 1 }
        guard positive.contains(true), positive.contains(false) else { return [] }
        return columns.compactMap { find($0, chosen, positive) }.sorted { $0.feature < $1.feature }
    }

    private static func find(_ column: NamedColumn, _ rows: [Int], _ positive: [Bool]) -> LeakageWarning? {
        switch column.column {
        case .number(let all):
            let values = rows.map { all[$0] }
            let auc = [-Double.infinity, .infinity].map { missing in
                let auc = area(values.map { $0.isNaN ? missing : $0 }, positive)
                return max(auc, 1 - auc)
            }.max()
            if let auc, auc > suspicious { return LeakageWarning(feature: column.name, auc: auc) }
            guard let (codes, levels) = coded(values) else { return nil }
            return level(column.name, codes, levels, positive)
        case .category(let all, let levels):
            let codes = rows.map { all[$0] }
            let auc = area(rates(codes, levels.count, positive), positive)
            if auc > suspicious { return LeakageWarning(feature: column.name, auc: auc) }
            return level(column.name, codes, levels, positive)
        }
    }

    /// The share of pairs of a positive and a negative row that the score puts in order; ties count half.
    private static func area(_ score: [Double], _ positive: [Bool]) -> Double {
        let order = score.indices.sorted { score[$0] < score[$1] }
        var (below, start) = (0, 0)
        var sum = 0.0
        while start < order.count {
            var end = start
            var (ones, zeros) = (0, 0)
            while end < order.count, score[order[end]] == score[order[start]] {
                if positive[order[end]] { ones += 1 } else { zeros += 1 }
                end += 1
            }
            sum += Double(ones) * (Double(below) + Double(zeros) / 2)
            below += zeros
            start = end
        }
        let ones = order.count - below
        return ones == 0 || below == 0 ? 0.5 : sum / (Double(ones) * Double(below))
    }

    /// Each row's level as the target's rate in it; levels with few rows count as one.
    private static func rates(_ codes: [Int32], _ levels: Int, _ positive: [Bool]) -> [Double] {
        let counts = counts(codes, levels, positive)
        let rest = counts.filter { $0.rows < enough }.reduce((rows: 0, ones: 0)) {
            ($0.rows + $1.rows, $0.ones + $1.ones)
        }
        return codes.map { code in
            let own = counts[Int(code) + 1]
            let count = own.rows < enough ? rest : own
            return Double(count.ones) / Double(count.rows)
        }
    }

    /// By level, missing first.
    private static func counts(_ codes: [Int32], _ levels: Int, _ positive: [Bool]) -> [(rows: Int, ones: Int)] {
        var counts = [(rows: Int, ones: Int)](repeating: (0, 0), count: levels + 1)
        for (code, isPositive) in zip(codes, positive) {
            counts[Int(code) + 1].rows += 1
            if isPositive { counts[Int(code) + 1].ones += 1 }
        }
        return counts
    }

    private static func level(
        _ name: String, _ codes: [Int32], _ levels: [String], _ positive: [Bool]
    ) -> LeakageWarning? {
        let ones = positive.count { $0 }
        let isRare = ones * 2 <= positive.count
        let members = isRare ? ones : positive.count - ones
        for (index, count) in counts(codes, levels.count, positive).enumerated() {
            let own = isRare ? count.ones : count.rows - count.ones
            guard count.rows >= enough, Double(own) >= pure * Double(count.rows),
                Double(own) >= telling * Double(members), count.rows < positive.count
            else { continue }
            return LeakageWarning(
                feature: name, level: index == 0 ? "(missing)" : levels[index - 1], rows: count.rows,
                rate: Double(own) / Double(count.rows))
        }
        return nil
    }

    private static func coded(_ values: [Double]) -> (codes: [Int32], levels: [String])? {
        var known: [Double: Int32] = [:]
        var levels: [String] = []
        var codes: [Int32] = []
        for value in values {
            guard !value.isNaN else {
                codes.append(-1)
                continue
            }
            if known[value] == nil {
                guard levels.count < few else { return nil }
                known[value] = Int32(levels.count)
                levels.append(value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)")
            }
            codes.append(known[value] ?? -1)
        }
        return (codes, levels)
    }
}
