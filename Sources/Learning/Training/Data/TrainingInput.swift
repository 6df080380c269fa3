internal import Core

/// The rows a model is trained on: one entry a row in every array, ordered by the declared unique key.
package struct TrainingInput: Sendable {
    /// The features.
    package var columns: [NamedColumn]
    /// 0, 1, or `nil` for a row without label, which takes no part in training.
    package var labels: [UInt8?]
    /// The declared unique key as text.
    package var keys: [String]
    package var groups: [String]?
    /// Microseconds since 1970.
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

    /// Refuses arrays of different lengths, a key that comes twice, and labels of one class.
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
