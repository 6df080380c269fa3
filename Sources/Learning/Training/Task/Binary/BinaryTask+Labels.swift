internal import Core

extension BinaryTask {
    /// 1 for the positive value, 0 for the other one, `nil` for null.
    package static func labels(of target: TargetColumn) throws -> [UInt8?] {
        let (name, levels, positive) = (target.name, target.levels, target.positive)
        let isPositive = levels.map { matches($0, positive) }
        if levels.count > 2 {
            let shown = levels.sorted { $0.precedes(inBytes: $1) }.prefix(4).joined(separator: ", ")
            let isNumeric = levels.allSatisfy { Double($0) != nil }
            throw MartletError(
                .input, "model.not-binary",
                isNumeric && levels.count > 20
                    ? "The target \(name) is a number with \(levels.count) values: that is regression, which Martlet does not offer yet."
                    : "The target \(name) has \(levels.count) values (\(shown), …): that is multi-class, which Martlet does not offer yet.",
                remedy: "Fold it into two values in the SQL, e.g. \(name) = '\(positive)' AS is_positive.")
        }
        if !levels.isEmpty, !isPositive.contains(true) {
            throw MartletError(
                .input, "model.no-positive",
                "No row of \(target.table) has the positive value \(positive) in \(name); it has: \(levels.joined(separator: ", ")).",
                remedy: levels.contains(positive)
                    ? "One of them looks the same and has other bytes (another Unicode form): write positive: as the data have it."
                    : nil)
        }
        return target.codes.map { $0 < 0 ? nil : isPositive[Int($0)] ? 1 : 0 }
    }

    private static func matches(_ level: String, _ positive: String) -> Bool {
        if level.isSameBytes(as: positive) { return true }
        guard let a = Double(level), let b = Double(positive) else { return false }
        return a == b
    }

    package static func classes(of labels: [UInt8]) throws -> [UInt8]? {
        let positives = labels.count { $0 == 1 }
        guard positives > 0, positives < labels.count else {
            throw MartletError(
                .input, "training.single-class",
                "training needs rows of both classes; of \(labels.count) labelled rows \(positives) are positive",
                remedy: "check the target's column and its positive value")
        }
        return labels
    }

    package static func size(of labels: [UInt8]) -> ModelRecord.PartSize {
        .init(rows: labels.count, positives: labels.count { $0 == 1 })
    }

    package static func suspects(_ columns: [NamedColumn], labels: [UInt8?], rows: [Int]) -> [LeakageWarning] {
        LeakageWarning.find(columns, labels: labels, rows: rows)
    }
}
