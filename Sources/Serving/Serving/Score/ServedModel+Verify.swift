internal import Core
package import Training

extension ServedModel {
    /// Scores sample records as JSON requests and compares the probabilities with those of the training library.
    ///
    /// This also warms up code and memory. Records that the columns' policies reject are skipped.
    /// - Returns: how many records were compared.
    /// - Throws: `serving.not-verified` when a probability is another one, or when no record could be compared.
    @discardableResult
    package func verify(_ samples: SamplePredictions) throws -> Int {
        let session = ScoringSession(schema)
        let deployment = FixedDeployment(Arm(unlogged: self))
        var compared = 0
        var refusal: String?
        for (index, (record, expected)) in zip(samples.records, samples.scores).enumerated() {
            let body = try JSON.encode(SampleRequest(record: record, explain: index == 0))
            do {
                try body.withUnsafeBytes {
                    try session.answer(native: $0, by: deployment, requestID: "sample", mostRows: { _ in 1 })
                }
            } catch let faults as InputFaults {
                refusal = faults.faults.first?.detail
                continue
            }
            guard session.probabilities[0].bitPattern == expected.bitPattern else {
                throw MartletError(
                    .refused, "serving.not-verified",
                    "\(key) version \(version) is not what was registered: it gives \(session.probabilities[0]) for sample "
                        + "\(index + 1) of \(samples.records.count), which training scored \(expected).",
                    remedy: "Restore the artifacts of its run, or train again.")
            }
            compared += 1
        }
        guard compared > 0 || samples.records.isEmpty else {
            throw MartletError(
                .refused, "serving.not-verified",
                "\(key) version \(version) refuses all its sample predictions: \(refusal ?? "no reason").",
                remedy: "Look at the policies of its columns.")
        }
        return compared
    }
}

/// One record as a native request.
private struct SampleRequest: Encodable {
    let record: [String: JSONValue]
    let explain: Bool
}
