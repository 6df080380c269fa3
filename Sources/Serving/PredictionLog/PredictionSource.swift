package import Core

/// The model version that makes predictions, with the columns of its input.
///
/// It is written once into each segment that has a prediction of it, so that a segment can be read without the registry.
///
/// ```swift
/// let number = try log.register(
///     PredictionSource(project: "wards", model: "readmission", version: 3, signature: digest, columns: columns))
/// ```
package struct PredictionSource: Sendable, Hashable, Codable {
    /// An input column, in the order of a record's features.
    package struct Column: Sendable, Hashable, Codable {
        /// Name of the feature, as in the model's signature.
        package let name: String
        /// Level names of a category in code order; `nil` for a number.
        package let levels: [String]?
        /// Code beyond the levels that stands for a missing category; `nil` when there is no such code.
        package let missing: Int?

        package init(name: String, levels: [String]? = nil, missing: Int? = nil) {
            self.name = name
            self.levels = levels
            self.missing = missing
        }

        /// Returns the level name of a category's code; `nil` for a missing value.
        ///
        /// A code that is none of the source's is returned as text.
        package func level(_ code: Double) -> String? {
            guard !code.isNaN else { return nil }
            guard let place = Int(exactly: code) else { return "\(code)" }
            if place == missing { return nil }
            return levels.flatMap { $0.indices.contains(place) ? $0[place] : nil } ?? "\(code)"
        }
    }

    /// Name of the model's project.
    package let project: String
    /// Name of the registered model.
    package let model: String
    /// Number of the version within the model, from 1.
    package let version: Int
    /// Digest of the model's signature, as in the registry.
    package let signature: Digest
    /// Input columns of the version, in the order of a record's features.
    package let columns: [Column]

    package init(project: String, model: String, version: Int, signature: Digest, columns: [Column]) {
        self.project = project
        self.model = model
        self.version = version
        self.signature = signature
        self.columns = columns
    }

    /// Hashes all but the columns, of which there are many.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(project)
        hasher.combine(model)
        hasher.combine(version)
        hasher.combine(signature)
    }
}

/// Number of a registered source, carried by records instead of names.
package struct PredictionSourceNumber: Sendable, Hashable {
    let value: UInt16
}
