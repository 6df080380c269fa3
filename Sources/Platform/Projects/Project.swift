internal import Core
package import Lakehouse
package import SQLLineage
package import SourceFormats
internal import Storage
package import Training

/// A loaded and checked project: sources, transforms and models.
///
/// ```swift
/// let project = try Project.load(folder, learners: Composition.learners)
/// let model = try project.model("readmission")
/// ```
package struct Project: Sendable {
    /// Absolute path of the project's folder.
    package let folder: String
    /// The `name` in martlet.yaml, under which the metadata database keeps runs and models: letters, digits, - and _.
    package let name: String
    /// Address of the metadata database; `nil`: a SQLite file in the project's home.
    package let metadata: String?
    /// The entries under `sources` in martlet.yaml, in its order; at least one.
    package let sources: [Source]
    /// The entries under `models` in martlet.yaml, in its order.
    package let models: [Model]
    /// The transforms, one a file of `transforms/{silver,gold}/*.sql`, sorted by table.
    package let transforms: [Transform]

    /// A data source: contract, file format and landing folder.
    package struct Source: Sendable {
        /// Key of the source in martlet.yaml, and name of its bronze table: lowercase letters, digits and _.
        package let name: String
        /// What its files must have, from `contracts/<name>.yaml` or the file that martlet.yaml names.
        package let contract: Contract
        /// How its files are read, as martlet.yaml says; CSV by default.
        package let format: SourceFormat
        /// Absolute path of the landing folder.
        package let landing: String
        /// Seconds without a change after which a landed file is ingested.
        package var quiet = 0
        /// Name of the marker file in the landing folder that says that the other files are complete.
        package var ready: String?
    }

    /// A model: table, key, target, features and training plan.
    package struct Model: Sendable {
        /// Name in martlet.yaml, also in the registry: letters, digits, - and _.
        package let name: String
        /// Table with the training rows.
        package let table: TableName
        /// Column that identifies a row.
        package let key: String
        /// Column of the label.
        package let target: String
        /// Value of the target that counts as positive; compared as text, or as a number where both are numbers.
        package let positive: String
        /// Column of the entity whose rows stay in one part of a split; `nil` when the model names none.
        package let group: String?
        /// Column with the time of prediction, which a split by time needs; `nil` when the model names none.
        package let eventTime: String?
        /// The only feature columns; `nil`: all others.
        package let include: [String]?
        /// Columns that are not features.
        package let exclude: [String]
        /// Numeric columns whose values are categories.
        package let categorical: [String]
        /// Settings of split, learner, calibration, threshold and gates.
        package var plan: TrainingPlan
        /// Whether a person must approve a version before it can be used.
        package let needsApproval: Bool
        /// Settings for computing single feature rows from raw rows.
        package var process = Process()

        /// Settings for computing single feature rows: which source rows a record's features depend on.
        package struct Process: Sendable, Equatable {
            /// Source whose rows are the records; `nil`: the one whose key is the model's.
            package var record: String?
            /// Which of a source's rows can affect a record, by source name; one without an entry has the defaults.
            package var rows: [String: Reach] = [:]

            /// Which rows of a source can affect a record.
            package struct Reach: Sendable, Equatable {
                /// Columns in one of which a row must equal the record; all rows matter when empty.
                package var same: [String] = []
                /// Seconds before the record; `nil`: as the tables' own lookback says.
                package var lookback: Int?
            }
        }

        /// Table with the champion's predictions for rows without a label.
        package var predictions: TableName { TableName(.gold, "predictions_" + name.replacing("-", with: "_")) }
    }

    /// The source of this name; `nil` when there is none.
    package func source(_ name: String) -> Source? { sources.first { $0.name == name } }

    /// Returns the model of this name, or the only one.
    package func model(_ name: String?) throws -> Model {
        guard let name else {
            if models.count == 1 { return models[0] }
            throw MartletError(
                .usage, "project.which-model",
                models.isEmpty
                    ? "The project \(self.name) has no model." : "The project \(self.name) has several models.",
                remedy: models.isEmpty
                    ? "Add one under models: in martlet.yaml."
                    : "Say which: \(models.map(\.name).joined(separator: ", ")).")
        }
        if let model = models.first(where: { $0.name == name }) { return model }
        let near = Spelling.nearest(to: name, among: models.map(\.name))
        throw MartletError(
            .missing, "project.no-model", "The project \(self.name) has no model \(name).",
            remedy: near.map { "Did you mean \($0)?" } ?? "It has: \(models.map(\.name).joined(separator: ", ")).")
    }

    /// Returns the nearest folder, upwards from `folder`, that has a martlet.yaml.
    package static func find(from folder: String) throws -> String {
        var here = Disk.absolute(folder)
        while true {
            if Disk.exists(here + "/martlet.yaml") { return here }
            if here == "/" { break }
            here = Disk.parent(of: here)
        }
        throw MartletError(
            .missing, "project.none", "There is no martlet.yaml in \(Disk.absolute(folder)) or above it.",
            remedy: "Go into a project's folder, name it with --project, or write one with `martlet init`.")
    }
}
