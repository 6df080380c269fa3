internal import Core
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

extension APIContext {
    /// A parameter of the path as it is meant: `NAME%403` is NAME@3. `nil` if the path has none of this name, or
    /// holds what is no text.
    func segment(_ name: String) -> String? { parameters.get(name).flatMap { $0.removingPercentEncoding } }

    /// The same for a parameter that the path must have.
    func requiredSegment(_ name: String) throws -> String {
        guard let text = segment(name) else {
            throw Problem(.badRequest, "request.parameter", "path.\(name) is no text.")
        }
        return text
    }

    /// Bytes of a body that asks for something; those that carry rows have limits of their own.
    static var largestOrder: Int { 64 << 10 }

    /// The members of a JSON body that fits `schema`. An empty body is an empty object.
    /// - Throws: a `Problem`: 415 for another media type, 413 for too many bytes, 400 for what is no JSON, 422 with each
    ///   fault's JSONPath for what does not fit.
    func object(_ request: Request, _ schema: Schema) async throws -> RequestBody {
        let bytes = try await request.body(upTo: APIContext.largestOrder)
        return RequestBody(try Self.checked(bytes, type: request.headers[.contentType], schema), bytes)
    }

    private static func checked(_ bytes: ByteBuffer, type: String?, _ schema: Schema) throws -> [String: JSONValue] {
        let isJSON = type.map { MediaType($0).name == "application/json" }
        guard isJSON ?? (bytes.readableBytes == 0) else {
            throw Problem(
                .unsupportedMediaType, "body.media-type", "The body must be application/json.",
                remedy: "Send Content-Type: application/json.")
        }
        guard let value = bytes.readableBytes == 0 ? .object([:]) : JSONValue(parsing: bytes.readableBytesView) else {
            throw Problem(.badRequest, "body.json", "The body is not JSON.")
        }
        let faults = schema.faults(in: value)
        guard faults.isEmpty else {
            var problem = Problem(
                .unprocessableContent, "body.invalid",
                faults.count == 1
                    ? "\(faults[0].path) \(faults[0].detail)." : "The body has \(faults.count) faults.")
            problem.faults = Array(faults.prefix(50))
            throw problem
        }
        return value.members ?? [:]
    }
}

extension Request {
    /// The whole body, unpacked; one that is announced as longer is refused without waiting for it.
    /// - Throws: a `Problem`: 413 for more bytes, and what ``BodyReader`` throws.
    func body(upTo most: Int) async throws -> ByteBuffer {
        var all = ByteBuffer()
        try await pieces(upTo: most) { piece in
            if all.readableBytes == 0 { all = piece } else { all.writeImmutableBuffer(piece) }
        }
        return all
    }

    /// The same, piece by piece.
    func pieces(upTo most: Int, _ take: (ByteBuffer) async throws -> Void) async throws {
        let tooLong = Problem(
            .contentTooLarge, "http.413", "The body has more than the \(most) bytes that are taken here.",
            remedy: "Send it in several requests; rows also as a batch, to /predict/batch.")
        if let length = headers[.contentLength], Int(length).map({ $0 > most }) ?? true { throw tooLong }
        var reader = try BodyReader(self)
        var count = 0
        while let piece = try await reader.next() {
            count += piece.readableBytes
            guard count <= most else { throw tooLong }
            try await take(piece)
        }
    }
}

/// A JSON body that was validated against its schema.
struct RequestBody: Sendable {
    let members: [String: JSONValue]
    /// As it came.
    let bytes: ByteBuffer

    init(_ members: [String: JSONValue], _ bytes: ByteBuffer) {
        self.members = members
        self.bytes = bytes
    }

    /// A member that the schema requires.
    func text(_ name: String) throws -> String {
        guard let text = members[name]?.text else {
            throw Problem(.unprocessableContent, "body.missing", "$.\(name) must be there.")
        }
        return text
    }

    func optionalText(_ name: String) -> String? { members[name]?.text }
    func optionalInteger(_ name: String) -> Int? {
        if case .number(let number) = members[name] { return Int(exactly: number) }
        return members[name]?.integer
    }
}
