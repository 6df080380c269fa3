internal import HTTPTypes

/// The media type of a body: Content-Type without parameters, in lowercase (RFC 9110, 8.3.1).
struct MediaType: Equatable {
    let name: String

    init(_ field: String) {
        name = field.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
    }

    var isCSV: Bool { name == "text/csv" || name == "application/csv" }

    /// JSON, or nothing at all: `curl -d` and Python's urllib call whatever they send a form when they are told nothing.
    var isJSON: Bool {
        ["", "application/json", "text/json", "application/x-www-form-urlencoded"].contains(name)
            || name.hasPrefix("application/") && name.hasSuffix("+json")
    }

    /// Refuses a body of another kind than a route takes.
    static func unsupported(_ field: String, _ taken: String) -> Problem {
        Problem(
            .unsupportedMediaType, "body.media-type", "The body is '\(field.prefix(80))'; taken is \(taken).",
            remedy: "Send it as that, and say so with Content-Type.")
    }
}
