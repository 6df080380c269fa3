internal import Core
internal import HTTPTypes
internal import Identity
internal import NIOCore

/// The parsed body of a `/process` request.
struct ProcessForm: Sendable {
    private let members: [String: JSONValue]

    /// - Throws: a `Problem`: 400 for what is no JSON, 422 with each fault's JSONPath for what has another form.
    init(_ body: ByteBuffer) throws {
        guard let value = JSONValue(parsing: body.readableBytesView) else {
            throw Problem(.badRequest, "body.json", "The body is not JSON.")
        }
        let faults = Self.request.faults(in: value)
        guard faults.isEmpty else {
            var problem = Problem(
                .unprocessableContent, "body.invalid",
                faults.count == 1 ? "\(faults[0].path) \(faults[0].detail)." : "The body has \(faults.count) faults.")
            problem.faults = Array(faults.prefix(50))
            throw problem
        }
        members = value.members ?? [:]
    }

    var scores: Bool { members["score"]?.flag ?? true }
    var explains: Bool { members["explain"]?.flag ?? false }
    /// Without scores, features are all there is to tell.
    var wantsFeatures: Bool { members["features"]?.flag ?? !scores }

    var hasRows: Bool { members["rows"]?.members?.values.contains { $0.list?.isEmpty == false } ?? false }

    /// Whether the rows shall count for later records; `nil` where the client leaves that to the server.
    var stores: Bool? { members["store"]?.flag }

    /// The request as the feature worker reads it, on one line.
    /// - Parameter author: who sends it; is kept with rows that are stored.
    func line(storing: Bool, by author: Author) throws -> [UInt8] {
        var line = members.filter { ["rows", "keys"].contains($0.key) }
        line["store"] = .flag(storing)
        if storing {
            line["by"] = .text(author.actor)
            line["request"] = author.request.map { .text($0) } ?? .null
        }
        return try JSON.encode(JSONValue.object(line))
    }

    /// Records of one request; each takes the worker's time.
    static let mostRecords = 100
    private static let cell = Schema.oneOf([.number, .line, .boolean, .null])
    static let request = Schema.object(
        .init(
            "rows", .object([], additional: .list(.object([], additional: cell), maxItems: 10_000)),
            "Rows of the model's sources, by source, with the columns of their contracts."),
        .init(
            "keys",
            .list(.oneOf([.text(maxLength: 1_000), .integer(minimum: .min, maximum: .max)]), maxItems: mostRecords),
            optional: true,
            "Records that are wanted; by default those that the request brings."),
        .init(
            "store", .boolean, optional: true,
            "Whether the rows count for later records; by default they do where one may store rows."),
        .init("score", .boolean, optional: true, "Whether a prediction is wanted; by default it is."),
        .init("explain", .boolean, optional: true, "Whether reasons are wanted."),
        .init("features", .boolean, optional: true, "Whether the features are wanted beside the prediction."))

    private static let features = Schema.object([], additional: cell)
    static let answer = Schema.object(
        .init("project", .text), .init("model", .text), .init("version", .integer(minimum: 1)),
        .init("request_id", .text),
        .init(
            "predictions",
            .list(
                .object(
                    .init("key", .text), .init("moment", .text, optional: true, "As of when."),
                    .init("probability", .number(minimum: 0, maximum: 1), optional: true),
                    .init("decision", .boolean, optional: true),
                    .init("band", .text(oneOf: ["low", "medium", "high"]), optional: true),
                    .init("reasons", PredictionRoutes.reasons, optional: true),
                    .init("features", features, optional: true),
                    .init("reason", .text, optional: true, "Why there is no prediction.")))),
        .init("stored", .integer(minimum: 0), "Rows that count for later records from now on."),
        .init("warnings", PredictionRoutes.warnings, optional: true))
}
