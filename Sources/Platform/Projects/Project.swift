internal import Core
package import Lakehouse
package import SQLLineage
internal import Storage
package import Training

/// A project as its files say, checked.
package struct Project: Sendable {
    /// Absolute path of the project's folder.
    package let folder: String
    package let name: String
    /// The address of the database of the metadata; `nil`: a SQLite file in the project's home.
    package let metadata: String?
    package let sources: [Source]
    package let models: [Model]
    /// One a file of `transforms/{silver,gold}/*.sql`, sorted by table.
    package let transforms: [Transform]

    package struct Source: Sendable {
        package let name: String
        package let contract: Contract
        package let format: SourceFormat
        /// Absolute path of the landing folder.
        package let landing: String
        /// Seconds for which a landed file must have been left alone before it is taken.
        package var quiet = 0
        /// The file in the landing folder that says that the others are complete.
        package var ready: String?
    }

    package struct Model: Sendable {
        package let name: String
        package let table: TableName
        package let key: String
        package let target: String
        /// The target's value that counts as positive, compared as text.
        package let positive: String
        package let group: String?
        package let eventTime: String?
        /// The only features, when given.
        package let include: [String]?
        package let exclude: [String]
        /// Number columns whose values are categories.
        package let categorical: [String]
        package var plan: TrainingPlan
        package let needsApproval: Bool
        /// How single records are computed from raw rows.
        package var process = Process()

        /// Which rows of the sources a record's features depend on.
        package struct Process: Sendable, Equatable {
            /// The source whose rows are the records; `nil`: the one that has the model's key for its own.
            package var record: String?
            package var rows: [String: Reach] = [:]

            package struct Reach: Sendable, Equatable {
                /// Rows that agree with the record in one of these columns; all when empty.
                package var same: [String] = []
                /// Seconds before the record; `nil`: what the tables' own lookback says.
                package var lookback: Int?
            }
        }

        /// The table that holds the champion's word on rows without label.
        package var predictions: TableName { TableName(.gold, "predictions_" + name.replacing("-", with: "_")) }
    }

    package func source(_ name: String) -> Source? { sources.first { $0.name == name } }

    /// The model of this name, or the only one.
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

    /// The nearest folder upwards that holds a martlet.yaml.
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
