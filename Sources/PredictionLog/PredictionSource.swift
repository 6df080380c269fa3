package import Vocabulary

/// What makes predictions: one version of a model of a project, and the columns of its input.
///
/// It is written once into each segment that has a prediction of it, so that a segment can be read without the registry.
package struct PredictionSource: Sendable, Hashable, Codable {
    /// A column of the input, in the order of the features of a record.
    package struct Column: Sendable, Hashable, Codable {
        package let name: String
        /// The names of a category's levels in code order; `nil` for a number.
        package let levels: [String]?

        package init(name: String, levels: [String]? = nil) {
            self.name = name
            self.levels = levels
        }
    }

    package let project: String
    package let model: String
    package let version: Int
    /// Digest of the model's signature, as the registry has it.
    package let signature: Digest
    package let columns: [Column]

    package init(project: String, model: String, version: Int, signature: Digest, columns: [Column]) {
        self.project = project
        self.model = model
        self.version = version
        self.signature = signature
        self.columns = columns
    }
}

/// A source that a log has been told of: what its records carry instead of names.
package struct PredictionSourceNumber: Sendable, Hashable {
    let value: UInt16
}
