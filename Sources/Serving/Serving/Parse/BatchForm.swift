/// Line-based data form of a batch and its answer: CSV, JSON Lines.
package enum BatchForm: String, Sendable, CaseIterable {
    /// RFC 4180 with a header.
    case csv
    /// One JSON object a line.
    case jsonLines

    /// Media type of the form.
    package var mediaType: String {
        switch self {
        case .csv: "text/csv"
        case .jsonLines: "application/x-ndjson"
        }
    }

    /// The form of a media type, ignoring parameters; `nil` for other types.
    package init?(mediaType: some StringProtocol) {
        let name = mediaType.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        switch name {
        case "text/csv", "application/csv": self = .csv
        case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines",
            "application/x-jsonlines":
            self = .jsonLines
        default: return nil
        }
    }
}

/// What happens to a batch with rows that cannot be scored.
package enum BatchFaultPolicy: String, Sendable, CaseIterable {
    /// Such a row is answered with its error.
    case report
    /// It is left out of the answer; the summary counts it.
    case skip
    /// The whole batch is refused.
    case reject
}
