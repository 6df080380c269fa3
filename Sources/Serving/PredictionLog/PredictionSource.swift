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
    /// Name of the deployment that routes the model's requests.
    package let deployment: String
    /// Name of the deployment's arm that the version is.
    package let arm: String
    /// Digest of the model's signature, as in the registry.
    package let signature: Digest
    /// Input columns of the version, in the order of a record's features.
    package let columns: [Column]

    /// The deployment of a model that has only one, and of all records of version 1.
    package static let defaultDeployment = "default"
    /// The arm that is the champion, as of all records of version 1.
    package static let champion = "champion"

    package init(
        project: String, model: String, version: Int, deployment: String = defaultDeployment, arm: String = champion,
        signature: Digest, columns: [Column]
    ) {
        self.project = project
        self.model = model
        self.version = version
        self.deployment = deployment
        self.arm = arm
        self.signature = signature
        self.columns = columns
    }

    package init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        project = try box.decode(String.self, forKey: .project)
        model = try box.decode(String.self, forKey: .model)
        version = try box.decode(Int.self, forKey: .version)
        // Segments of version 1 have neither.
        deployment = try box.decodeIfPresent(String.self, forKey: .deployment) ?? Self.defaultDeployment
        arm = try box.decodeIfPresent(String.self, forKey: .arm) ?? Self.champion
        signature = try box.decode(Digest.self, forKey: .signature)
        columns = try box.decode([Column].self, forKey: .columns)
    }

    /// Hashes all but the columns, of which there are many.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(project)
        hasher.combine(model)
        hasher.combine(version)
        hasher.combine(deployment)
        hasher.combine(arm)
        hasher.combine(signature)
    }
}

/// Number of a registered source, carried by records instead of names.
package struct PredictionSourceNumber: Sendable, Hashable {
    let value: UInt16
}
