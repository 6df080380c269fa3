internal import Core
internal import Serving

/// A prediction request as far as its head describes it.
struct ScoringCall: Sendable {
    let form: ScoringForm
    let slot: ModelSlot
    /// The only version that may answer, where the client names one.
    var version: Int?
    var contentType: String?
    /// Of the binary tensor data extension.
    var jsonBytes: Int?

    /// The version that answers calls about nobody in particular.
    /// - Throws: as ``deployment()``.
    func model() throws -> ServedModel { try deployment().route(nil).answering.model }

    /// What answers this call from now to its end.
    /// - Throws: `serving.not-loaded`, `serving.stale`, `serving.unknown-version`.
    func deployment() throws -> any Deployment {
        guard let deployment = slot.deployment else {
            if slot.isStale, let version = slot.loaded?.version {
                throw MartletError(
                    .machine, "serving.stale",
                    "Version \(version) of \(slot.key) does not answer: the registry has been away for too long, and it "
                        + "may have been blocked meanwhile. \(slot.trouble ?? "")",
                    remedy: "Bring the metadata database back; the server goes on by itself.")
            }
            throw MartletError(
                .machine, "serving.not-loaded",
                "The model \(slot.key) is not loaded: \(slot.trouble ?? "it is starting").")
        }
        if let version {
            let served = deployment.route(nil).answering.model.version
            guard version == served else {
                throw MartletError(
                    .missing, "serving.unknown-version",
                    "The model \(slot.key) is served with version \(served), not \(version).")
            }
        }
        return deployment
    }

    /// Reads, scores and writes the answer into the session.
    /// - Parameter explaining: may refuse reasons for so many rows.
    func answer(
        _ body: UnsafeRawBufferPointer, by deployment: any Deployment, at session: ScoringSession, requestID: String,
        limits: ScoringLimits,
        explaining: (_ rows: Int, ServedModel) throws -> Void
    ) throws -> ScoringAnswer {
        let mostRows = limits.rows(of:)
        let media = MediaType(contentType ?? "")
        switch form {
        case .native:
            guard media.isJSON else { throw MediaType.unsupported(contentType ?? "", "application/json") }
            let rows = try session.open(
                native: body, by: deployment, requestID: requestID, mostRows: mostRows, check: explaining)
            return ScoringAnswer(explainedRows: rows)
        case .invocations:
            if media.isCSV {
                try session.answer(mlflowCSV: body, by: deployment, mostRows: mostRows)
            } else {
                guard media.isJSON else {
                    throw MediaType.unsupported(contentType ?? "", "application/json or text/csv")
                }
                try session.answer(mlflow: body, by: deployment, mostRows: mostRows)
            }
            return ScoringAnswer()
        case .tensors(let name):
            guard media.isJSON || media.name == "application/octet-stream" else {
                throw MediaType.unsupported(contentType ?? "", "application/json or application/octet-stream")
            }
            let count = try session.answer(
                tensors: body, jsonBytes: jsonBytes, by: deployment, name: name, mostRows: mostRows)
            return ScoringAnswer(jsonBytes: count)
        }
    }
}

/// Headers and form of a response that a session has written.
struct ScoringAnswer: Sendable {
    /// Rows whose predictions are still to be written, with reasons.
    var explainedRows = 0
    /// Bytes of JSON at its front, where tensors follow.
    var jsonBytes: Int?

    var contentType: String { jsonBytes == nil ? "application/json" : "application/octet-stream" }
}
