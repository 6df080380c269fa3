package import Core
internal import HTTPTypes
package import Hummingbird
internal import Serving

/// An error of an HTTP request: status, Martlet's code, sentence, faults and remedy.
///
/// The ``RouteFamily`` of the request's path renders it. In Martlet's own API it is a problem of RFC 9457
/// (`application/problem+json`): type, title, status, detail; and as extensions the stable code, the request's id, the
/// place in the body (RFC 9535 JSONPath) and what to do.
///
/// ```swift
/// throw Problem(.notFound, "serving.unknown-model", "There is no such model.", remedy: "GET …/models lists them.")
/// ```
package struct Problem: Error, Sendable, CustomStringConvertible {
    /// One of several faults in the same body.
    package struct Fault: Sendable {
        /// JSONPath of the value: `$.records[0].age`.
        package let path: String
        /// Stable code of the fault: "body.type", "serving.wrong-type".
        package let code: String
        /// What is wrong with the value, for people.
        package let detail: String

        package init(path: String, code: String, detail: String) {
            self.path = path
            self.code = code
            self.detail = detail
        }
    }

    /// HTTP status of the response, 400 or above.
    package var status: HTTPResponse.Status
    /// Stable code `area.what`, part of the interface: "serving.unknown-model".
    package var code: String
    /// What went wrong, in sentences for the client; the server's paths are hidden.
    package var detail: String
    /// What the client can do about it; `nil` when nothing is suggested.
    package var remedy: String?
    /// Single faults of the request's values, `errors` in the response; empty when it has no such list.
    package var faults: [Fault] = []
    /// Seconds for the Retry-After header.
    package var retryAfter: Int?
    /// Value of the Allow header: the allowed methods.
    package var allow: String?
    /// Value of the Accept-Encoding header, for bodies with an unsupported encoding.
    package var acceptEncoding: String?
    /// Whether the requested change may have been made all the same.
    package var isUncertain = false
    /// Value of the WWW-Authenticate header.
    package var challenge: String?

    /// Sentence and code, for the log.
    package var description: String { "\(detail) [\(code)]" }

    package init(_ status: HTTPResponse.Status, _ code: String, _ detail: String, remedy: String? = nil) {
        self.status = status
        self.code = code
        self.detail = PathRedaction.redact(detail)
        self.remedy = remedy.map(PathRedaction.redact)
    }

    /// Converts any error: Martlet's own by its code, Hummingbird's by its status, others to a defect without details.
    package init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let fault as InputFault: self.init(fault)
        case let faults as InputFaults: self.init(faults)
        case let error as MartletError:
            self.init(Self.status(of: error), error.code, error.message, remedy: error.remedy)
            retryAfter = Self.retryAfter[error.code]
        case let error as any HTTPResponseError:
            let status = error.status
            let detail = (error as? HTTPError)?.body ?? "\(status.reasonPhrase)."
            self.init(status, "http.\(status.code)", detail)
        default:
            self.init(
                .internalServerError, "http.500", "The request failed for a reason that stands in the server's log.")
        }
    }

    /// The one table from faults to statuses: by code where a code has its own, else by kind.
    static func status(of error: MartletError) -> HTTPResponse.Status {
        switch error.code {
        case "serving.not-loaded", "disk.full": return .serviceUnavailable
        case "metadata.busy": return .serviceUnavailable
        case "batch.too-many-rows": return .contentTooLarge
        default: break
        }
        switch error.kind {
        case .usage: return .badRequest
        case .input: return .unprocessableContent
        case .missing: return .notFound
        case .conflict, .refused: return .conflict
        case .machine: return .serviceUnavailable
        case .defect: return .internalServerError
        }
    }

    /// Seconds after which it is worth trying again, for what passes by itself or when somebody makes room.
    private static let retryAfter = [
        "predictions.busy": 1, "predictions.full": 5, "disk.full": 5, "metadata.busy": 1, "metadata.full": 5,
        "metadata.away": 2, "serving.stale": 5, "identity.stale": 5,
    ]

    /// The code of a body that is packed for the way.
    static let packed = "http.transfer-encoding"

    /// Whether a status of 500 or more is more than the client's wish, than how busy it is here, or than what the
    /// server's log tells anyway.
    var isOurs: Bool { !["server.busy", "serving.not-loaded", Problem.packed].contains(code) }

    /// Returns the problem details of RFC 9457.
    package func json(requestID: String) -> JSONValue {
        var members: [String: JSONValue] = [
            "type": .text("about:blank"), "title": .text(status.reasonPhrase), "status": .integer(Int64(status.code)),
            "detail": .text(detail), "code": .text(code), "request_id": .text(requestID),
        ]
        members["remedy"] = remedy.map { .text($0) }
        if !faults.isEmpty {
            members["errors"] = .list(
                faults.map { .object(["path": .text($0.path), "code": .text($0.code), "detail": .text($0.detail)]) })
        }
        return .object(members)
    }

    /// JSON Schema of every problem.
    package static let schema = Schema.object(
        .init("type", .text(format: "uri-reference")), .init("title", .text),
        .init("status", .integer(minimum: 400, maximum: 599)), .init("detail", .text),
        .init("code", .text(pattern: "^[a-z0-9.-]+$"), "Stable; docs/errors.md lists them."),
        .init("request_id", .text), .init("remedy", .text, optional: true),
        .init(
            "errors",
            .list(
                .object(.init("path", .text, "JSONPath of the value."), .init("code", .text), .init("detail", .text))),
            optional: true))
}
