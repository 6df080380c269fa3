/// The forms in which a batch comes and is answered, a record a line.
package enum BatchForm: String, Sendable, CaseIterable {
    /// RFC 4180 with a header.
    case csv
    /// One JSON object a line.
    case jsonLines

    package var mediaType: String {
        switch self {
        case .csv: "text/csv"
        case .jsonLines: "application/x-ndjson"
        }
    }

    /// The form of a media type, parameters left out.
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

/// What becomes of a batch with rows that cannot be scored.
package enum BatchFaultPolicy: String, Sendable, CaseIterable {
    /// Such a row is answered with its error.
    case report
    /// It is left out of the answer; the summary counts it.
    case skip
    /// The whole batch is refused.
    case reject
}
