internal import HTTPTypes
internal import Serving

/// The prediction protocols, each with its own form of requests and responses.
enum ScoringForm: Sendable, Equatable {
    case native
    /// MLflow's `/invocations`.
    case invocations
    /// The Open Inference Protocol; the model's name as the client wrote it.
    case tensors(String)

    /// The family of the routes that speak it.
    var family: RouteFamily {
        switch self {
        case .native: .api
        case .invocations: .mlflow
        case .tensors: .openInference
        }
    }

    /// Returns an error in the family's form.
    func refusal(_ error: any Error, requestID: String) -> RouteFamily.Refusal {
        family.refusal(Problem(error), requestID: requestID)
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
