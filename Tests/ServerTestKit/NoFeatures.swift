internal import HTTPAPI
package import Serving

/// A feature worker that is always away.
package struct NoFeatures: FeatureSource {
    package init() {}

    package func ask(_ request: [UInt8], for model: ServedModel) async throws -> (model: ServedModel, answer: [UInt8]) {
        throw Problem.noFeatures("The feature worker is starting.", retryAfter: 1)
    }
}
