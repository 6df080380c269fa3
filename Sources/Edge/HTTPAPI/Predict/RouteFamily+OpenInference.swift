internal import Core

extension RouteFamily {
    /// The Open Inference Protocol, version 2: an error is `{"error": "…"}`, with the code at the sentence's end.
    package static let openInference = RouteFamily(
        "open-inference", at: ["/v2"], credentials: [.token],
        errors: .init(.object(.init("error", .text, "The sentence, with the code at its end.")))
    ) { problem, _ in protocolError(problem, ["error": .text(problem.sentence)]) }
}
