internal import Core

/// Labelled training rows: one entry a row in every array, ordered by the declared unique key.
///
/// ```swift
/// let input = TrainingInput(columns: columns, labels: labels, keys: keys)
/// try input.check()
/// ```
package struct TrainingInput<Label: TrainingLabel>: Sendable {
    /// The feature columns.
    package var columns: [NamedColumn]
    /// Label of each row; `nil` for a row without one, which is excluded from training.
    package var labels: [Label?]
    /// The unique key of each row as text.
    package var keys: [String]
    /// The entity of each row, if the model declares a group.
    package var groups: [String]?
    /// Event time of each row in microseconds since 1970.
    package var eventTimes: [Int64?]?

    package init(
        columns: [NamedColumn], labels: [Label?], keys: [String], groups: [String]? = nil,
        eventTimes: [Int64?]? = nil
    ) {
        self.columns = columns
        self.labels = labels
        self.keys = keys
        self.groups = groups
        self.eventTimes = eventTimes
    }

    /// Throws for arrays of different lengths and for a repeated key.
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
    }

    /// The rows of the indices, of everything but columns and labels.
    /// - Parameter classes: the class of each of the rows, if the task has classes.
    func splitRows(_ indices: [Int], classes: [UInt8]?) -> SplitRows {
        SplitRows(
            classes: classes, keys: indices.map { keys[$0] },
            groups: groups.map { groups in indices.map { groups[$0] } },
            eventTimes: eventTimes.map { times in indices.map { times[$0] } })
    }
}
