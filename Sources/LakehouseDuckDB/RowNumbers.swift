internal import DuckDB
internal import Synchronization

/// What SQL calls `_martlet_row(file, rowid)`, or `_martlet_row_2` in the second session: the 1-based number, in its own file, of a row of the staging table.
///
/// Rows of a file stand one after the other from `first` on. Broken lines are rows of the file too, but not of the
/// table: `gaps` holds, ascending, the number among the file's good rows of the first one after each broken line.
final class RowNumbers: IntegerFunction {
    struct File: Sendable {
        var first: Int64
        /// Rows of the same file in earlier slices.
        var before: Int64 = 0
        var gaps: [Int64] = []

        /// The number of the row with this place in the staging table.
        func number(of row: Int64) -> Int64 {
            let good = row &- first &+ 1
            return good &+ before &+ RowNumbers.count(of: gaps, upTo: good)
        }
    }

    private let files = Mutex<[File]>([])

    func set(_ new: [File]) { files.withLock { $0 = new } }

    func apply(
        _ file: UnsafePointer<Int64>, _ row: UnsafePointer<Int64>, _ result: UnsafeMutablePointer<Int64>, count: Int
    ) {
        let files = files.withLock { $0 }
        for index in 0..<count {
            let place = Int(truncatingIfNeeded: file[index])
            guard files.indices.contains(place) else {
                result[index] = 0
                continue
            }
            result[index] = files[place].number(of: row[index])
        }
    }

    /// How many of the ascending numbers are at most `bound`.
    fileprivate static func count(of numbers: [Int64], upTo bound: Int64) -> Int64 {
        var low = 0
        var high = numbers.count
        while low < high {
            let middle = (low + high) / 2
            if numbers[middle] <= bound { low = middle + 1 } else { high = middle }
        }
        return Int64(low)
    }
}
