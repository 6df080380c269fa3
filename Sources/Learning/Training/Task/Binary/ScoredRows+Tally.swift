extension ScoredRows {
    /// All metrics' sums from one weighted pass over the rows.
    struct Tally: Sendable {
        var rows = 0
        var positives = 0
        /// Twice the count of (positive, negative) pairs in the right order, a tie counting one.
        var twicePairs: UInt64 = 0
        /// Sum over the positives of the precision at their score.
        var precisionGains = 0.0
        var logLoss = 0.0
        var squaredError = 0.0
        var falseNegatives = 0
        var trueNegatives = 0

        var confusion: ConfusionMatrix {
            ConfusionMatrix(
                truePositives: positives - falseNegatives,
                falsePositives: rows - positives - trueNegatives,
                falseNegatives: falseNegatives,
                trueNegatives: trueNegatives)
        }

        var rocAUC: Double? {
            let pairs = Double(positives) * Double(rows - positives)
            return pairs > 0 ? Double(twicePairs) / 2 / pairs : nil
        }
        var prAUC: Double? { positives > 0 ? precisionGains / Double(positives) : nil }
        var meanLogLoss: Double? { rows > 0 ? logLoss / Double(rows) : nil }
        var meanSquaredError: Double? { rows > 0 ? squaredError / Double(rows) : nil }
    }

    /// All metrics but those of calibration in one pass, each row counting as often as its cluster was drawn: equal to
    /// the plain metrics of the rows written out as often as they count.
    /// - Parameter counts: one a cluster.
    func tally(counts: UnsafeBufferPointer<UInt16>) -> Tally {
        var total: UInt64 = 0
        rows.withUnsafeBufferPointer { rows in
            for row in rows {
                let weight = UInt64(counts[Int(row.cluster)])
                total &+= weight &+ ((weight &* UInt64(row.flags & 1)) << 32)
            }
        }
        var pass = Pass(rows: Int(total & 0xFFFF_FFFF), positives: Int(total >> 32))
        rows.withUnsafeBufferPointer { rows in
            pass.add(UnsafeBufferPointer(rebasing: rows[..<cut]), counts)
            pass.tally.falseNegatives = pass.positivesBefore
            pass.tally.trueNegatives = pass.rowsBefore - pass.positivesBefore
            pass.add(UnsafeBufferPointer(rebasing: rows[cut...]), counts)
        }
        return pass.tally
    }

    /// The running state of a pass in ascending order.
    private struct Pass {
        var tally = Tally()
        var rowsBefore = 0
        var positivesBefore = 0

        init(rows: Int, positives: Int) {
            tally.rows = rows
            tally.positives = positives
        }

        @inline(__always)
        mutating func add(_ rows: UnsafeBufferPointer<Row>, _ counts: UnsafeBufferPointer<UInt16>) {
            var groupRows = 0
            var groupPositives = 0
            for row in rows {
                let weight = Int(counts[Int(row.cluster)])
                let positive = weight &* Int(row.flags & 1)
                let w = Double(weight)
                tally.logLoss += w * row.logLoss
                tally.squaredError += w * row.squaredError
                groupRows &+= weight
                groupPositives &+= positive
                guard row.flags & 2 != 0 else { continue }
                let above = tally.rows &- rowsBefore
                let positivesAbove = tally.positives &- positivesBefore
                let groupNegatives = groupRows &- groupPositives
                let negativesBefore = rowsBefore &- positivesBefore
                tally.twicePairs &+= UInt64(groupPositives &* (2 &* negativesBefore &+ groupNegatives))
                tally.precisionGains += Double(groupPositives) * Double(positivesAbove) / Double(max(1, above))
                rowsBefore &+= groupRows
                positivesBefore &+= groupPositives
                groupRows = 0
                groupPositives = 0
            }
        }
    }

    /// Every row counted once.
    func tally() -> Tally {
        let ones = [UInt16](repeating: 1, count: clusters)
        return ones.withUnsafeBufferPointer { tally(counts: $0) }
    }
}
