internal import Core

/// One fold of a cross-validation: indices of its training, validation and test rows among the labelled rows.
///
/// A row may be in none.
package struct Fold: Sendable, Equatable {
    /// Rows that the fold's model is fitted to.
    package var train: [Int]
    /// Rows for early stopping and calibration.
    package var validation: [Int]
    /// Rows that the fold's metrics are measured on.
    package var test: [Int]
}

extension Split {
    /// Computes the folds of a cross-validation, which follow the kind of split.
    ///
    /// By time, fold k of n is tested on the k-th of the n latest runs of floor(rows / (n + 1)) rows, in the order (event
    /// time, key), and fitted to all rows before it less the gap: scikit-learn's `TimeSeriesSplit`. A border between
    /// rows of one time moves later until it parts two times. Otherwise a fold is fitted to all rows that are not in it.
    /// Where the split holds out validation rows, a fold holds out the same share of the rows it is fitted to: by time
    /// the latest, else those with a small portable uniform number of "validation:" + unit.
    package static func folds(of rows: SplitRows, _ plan: CrossValidationPlan, under split: SplitPlan) throws -> [Fold]
    {
        try plan.check()
        let share = split.validation / (split.train + split.validation)
        if split.kind == .time { return try rollingFolds(of: rows, plan, holdingOut: share) }
        let isByGroup = rows.groups != nil && split.by != .key
        let folds = try isByGroup ? groupFolds(of: rows, plan) : stratifiedFolds(of: rows, plan)
        let units = isByGroup ? rows.groups ?? rows.keys : rows.keys
        let heldOut =
            share > 0
            ? uniforms(units.map { "validation:" + $0 }, seed: plan.seed).map { $0 < share }
            : units.map { _ in false }
        return (0..<plan.folds).map { number in
            var fold = Fold(train: [], validation: [], test: [])
            for row in folds.indices {
                if folds[row] == number {
                    fold.test.append(row)
                } else if heldOut[row] {
                    fold.validation.append(row)
                } else {
                    fold.train.append(row)
                }
            }
            return fold
        }
    }

    private static func rollingFolds(
        of rows: SplitRows, _ plan: CrossValidationPlan, holdingOut share: Double
    ) throws -> [Fold] {
        let (order, times) = try inTimeOrder(rows)
        let size = order.count / (plan.folds + 1)
        let borders = (0...plan.folds).map { settled(order.count - (plan.folds - $0) * size, order, times) }
        return try (0..<plan.folds).map { number in
            let first = borders[number]
            var end = first
            switch plan.gap {
            case .rows(let rows): end = max(0, first - rows)
            case .seconds(let seconds) where first < order.count:
                let (latest, isOver) = times[order[first]].subtractingReportingOverflow(Int64(seconds) * 1_000_000)
                end = isOver ? 0 : order[..<first].partitioningIndex { times[$0] > latest }
            default: break
            }
            let cut = share > 0 ? settled(Int((Double(end) * (1 - share)).rounded()), order, times, upTo: end) : end
            // The order of rows within a part is that of the table.
            let fold = Fold(
                train: order[..<cut].sorted(), validation: order[cut..<end].sorted(),
                test: order[first..<borders[number + 1]].sorted())
            for (members, name) in [(fold.train, "the training rows of "), (fold.test, "")] {
                try refuse(members, of: rows, "\(name)fold \(number + 1) of \(plan.folds)")
            }
            return fold
        }
    }
}

extension ArraySlice<Int> {
    /// The first place from which on the condition holds, where it holds for no element before; the end if it never does.
    fileprivate func partitioningIndex(_ holds: (Int) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
