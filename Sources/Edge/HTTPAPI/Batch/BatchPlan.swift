internal import HTTPTypes
internal import Hummingbird
internal import Serving

/// The parsed options of a batch request.
struct BatchPlan: Sendable {
    let input: BatchMedia
    let output: BatchMedia
    /// Columns that are passed through.
    let passing: [String]
    let onError: BatchFaultPolicy

    /// - Throws: a `Problem`: 415 and 406 for forms that are not known, 400 for columns that cannot be passed through.
    init(_ request: Request) throws {
        let type = request.headers[.contentType]
        guard let input = type.flatMap({ BatchMedia(mediaType: $0) }) else {
            throw Problem(
                .unsupportedMediaType, "body.media-type", "A batch must be \(BatchMedia.names).",
                remedy: "Send Content-Type: text/csv.")
        }
        self.input = input
        output = try Self.output(request.headers[.accept], input)
        let query = request.uri.queryParameters
        passing = query["keep"].map { $0.split(separator: ",").map(String.init) } ?? []
        onError = query["on_error"].flatMap { BatchFaultPolicy(rawValue: String($0)) } ?? .report
        var seen = Set(BatchBlock.columns)
        for name in passing where !seen.insert(name).inserted {
            throw Problem(
                .badRequest, "request.parameter",
                "query.keep names \(name.prefix(80)), which the answer has already.")
        }
    }

    /// The first form of the list that can be given; the input's own where any will do.
    private static func output(_ accept: String?, _ input: BatchMedia) throws -> BatchMedia {
        guard let accept, !accept.isEmpty else { return input }
        var wildcard = false
        for part in accept.split(separator: ",") {
            let name = part.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
            if let form = BatchMedia(mediaType: name) { return form }
            if ["*/*", "text/*", "application/*"].contains(name) {
                wildcard = name == "*/*" || input.mediaType.hasPrefix(name.dropLast()) || wildcard
            }
        }
        if wildcard { return input }
        throw Problem(.notAcceptable, "request.accept", "A batch is answered as \(BatchMedia.names).")
    }
}
