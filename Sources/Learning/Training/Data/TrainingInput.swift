internal import Core

/// Labelled training rows: one entry a row in every array, ordered by the declared unique key.
///
/// ```swift
/// let input = TrainingInput(columns: columns, labels: labels, keys: keys)
/// try input.check()
/// ```
package struct TrainingInput: Sendable {
    /// The feature columns.
    package var columns: [NamedColumn]
    /// Label of each row: 0, 1, or `nil` for a row without one, which is excluded from training.
    package var labels: [UInt8?]
    /// The unique key of each row as text.
    package var keys: [String]
    /// The entity of each row, if the model declares a group.
    package var groups: [String]?
    /// Event time of each row in microseconds since 1970.
    package var eventTimes: [Int64?]?

    package init(
        columns: [NamedColumn], labels: [UInt8?], keys: [String], groups: [String]? = nil,
        eventTimes: [Int64?]? = nil
    ) {
        self.columns = columns
        self.labels = labels
        self.keys = keys
        self.groups = groups
        self.eventTimes = eventTimes
    }

    /// Throws for arrays of different lengths, a repeated key, and labels of one class only.
    package func check() throws {
        let rows = labels.count
        guard keys.count == rows, groups.map({ $0.count == rows }) ?? true,
            eventTimes.map({ $0.count == rows }) ?? true,
            columns.allSatisfy({ $0.column.count == rows })
        else {
            throw MartletError(.defect, "training.ragged", "the training input's columns differ in length")
        }
        var seen = Set<ByteText>(minimumCapacity: rows)
        for key in keys where !seen.insert(ByteText(key)).inserted {
            throw MartletError(
                .input, "training.duplicate-key", "the key \"\(key)\" comes twice in the training table",
                remedy: "make the gold table one row per key")
        }
        let labelled = labels.count { $0 != nil }
        let positives = labels.count { $0 == 1 }
        guard positives > 0, positives < labelled else {
            throw MartletError(
                .input, "training.single-class",
                "training needs rows of both classes; of \(labelled) labelled rows \(positives) are positive",
                remedy: "check the target's column and its positive value")
        }
    }

    /// The rows of the indices, of everything but the columns; all of them must be labelled.
    func splitRows(_ indices: [Int]) -> SplitRows {
        SplitRows(
            labels: indices.map { labels[$0] ?? 0 }, keys: indices.map { keys[$0] },
            groups: groups.map { groups in indices.map { groups[$0] } },
            eventTimes: eventTimes.map { times in indices.map { times[$0] } })
    }
}
