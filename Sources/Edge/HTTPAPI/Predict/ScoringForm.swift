internal import Core
internal import HTTPTypes
internal import Serving

/// The prediction protocols, each with its own request, response and error form.
enum ScoringForm: Sendable, Equatable {
    case native
    /// MLflow's `/invocations`.
    case invocations
    /// The Open Inference Protocol; the model's name as the client wrote it.
    case tensors(String)

    /// How it says no.
    func refusal(_ error: any Error, requestID: String) -> Refusal {
        let problem = Problem(error)
        let body: JSONValue
        var type = "application/json"
        switch self {
        case .native:
            body = problem.json(requestID: requestID)
            type = "application/problem+json"
        case .invocations:
            let code = problem.status.code < 500 ? "BAD_REQUEST" : "INTERNAL_ERROR"
            body = .object(["error_code": .text(code), "message": .text(problem.sentence)])
        case .tensors: body = .object(["error": .text(problem.sentence)])
        }
        // MLflow's clients know 400 for whatever is wrong with the input.
        let status = self != .native && problem.status == .unprocessableContent ? .badRequest : problem.status
        return Refusal(
            status: status, contentType: type, bytes: (try? JSON.encode(body)) ?? [], retryAfter: problem.retryAfter)
    }

    struct Refusal: Sendable {
        let status: HTTPResponse.Status
        let contentType: String
        let bytes: [UInt8]
        let retryAfter: Int?
    }
}

extension Problem {
    /// All of it in one line.
    var sentence: String {
        let faults = faults.map { "\($0.path): \($0.detail)" }
        return ([detail] + faults).joined(separator: " ") + " [\(code)]"
    }

    /// What was wrong with a body.
    init(_ fault: InputFault) {
        let status: HTTPResponse.Status = fault.code == .malformed ? .badRequest : .unprocessableContent
        self.init(status, fault.code.rawValue, fault.detail)
        faults = [Fault(path: fault.path, code: fault.code.rawValue, detail: fault.detail)]
    }

    init(_ all: InputFaults) {
        guard let first = all.faults.first else {
            self.init(.unprocessableContent, InputFault.Code.shape.rawValue, "The body cannot be scored.")
            return
        }
        let rest = all.faults.count - 1
        let further = rest == 0 ? "" : " (and \(rest) more)"
        self.init(.unprocessableContent, first.code.rawValue, first.detail + further)
        faults = all.faults.map { Fault(path: $0.path, code: $0.code.rawValue, detail: $0.detail) }
    }
}
