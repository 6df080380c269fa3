package import Core

/// What makes predictions: one version of a model of a project, and the columns of its input.
///
/// It is written once into each segment that has a prediction of it, so that a segment can be read without the registry.
package struct PredictionSource: Sendable, Hashable, Codable {
    /// A column of the input, in the order of the features of a record.
    package struct Column: Sendable, Hashable, Codable {
        package let name: String
        /// The names of a category's levels in code order; `nil` for a number.
        package let levels: [String]?
        /// The code of a missing category that has one of its own, beyond the levels.
        package let missing: Int?

        package init(name: String, levels: [String]? = nil, missing: Int? = nil) {
            self.name = name
            self.levels = levels
            self.missing = missing
        }

        /// What a category's code stands for: the level's name, the code itself as text where it is none of the
        /// source's, and `nil` for a missing value.
        package func level(_ code: Double) -> String? {
            guard !code.isNaN else { return nil }
            guard let place = Int(exactly: code) else { return "\(code)" }
            if place == missing { return nil }
            return levels.flatMap { $0.indices.contains(place) ? $0[place] : nil } ?? "\(code)"
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

    /// Without the columns, of which there are many: a version's name tells nearly all of it.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(project)
        hasher.combine(model)
        hasher.combine(version)
        hasher.combine(signature)
    }
}

/// A source that a log has been told of: what its records carry instead of names.
package struct PredictionSourceNumber: Sendable, Hashable {
    let value: UInt16
}
