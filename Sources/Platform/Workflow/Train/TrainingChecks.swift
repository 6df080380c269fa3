internal import Core
internal import Lakehouse
package import Projects
internal import Registry
package import SQLLineage
package import Training

/// What was asked of a model's features before it was trained; kept with the run.
package struct TrainingChecks: Codable, Sendable {
    /// Whether features could be looked at for knowing the future.
    package struct Leaks: Codable, Sendable, Equatable {
        /// Why not; `nil` when they were, and none does.
        package var unchecked: String?
        /// The column that holds the moment of prediction.
        package var moment: String?
        /// Sources whose rows are taken as known at any time.
        package var timeless: [String]

        /// The outcome without its mark.
        package var sentence: String {
            if let unchecked { return "not checked, because \(unchecked)" }
            let rest =
                timeless.isEmpty ? "" : "; \(timeless.joined(separator: ", ")) without event_time: known at any time"
            return "no feature knows what is not known yet at \(moment ?? "the moment of prediction")\(rest)"
        }
    }

    package var leaks: Leaks
    package var telltales: [Telltale]

    /// What people should look at, as sentences.
    package var warnings: [String] {
        telltales.map { "\($0.sentence); is it known before the outcome? If not, name it under features.exclude" }
    }
}

extension Workspace {
    /// Whether the features of a model could be checked for leaks, and why not.
    package func leakStatus(_ model: Project.Model, _ lineage: ProjectLineage) -> TrainingChecks.Leaks {
        guard let check = leakCheck(model, lineage) else {
            return .init(
                unchecked: "\(model.table) is not made by SQL of this project, so nobody can say what its columns knew",
                timeless: [])
        }
        return .init(
            unchecked: check.gap.map { "\($0) (only that no feature is made of the target)" }, moment: check.momentName,
            timeless: check.gap == nil ? check.timelessSources : [])
    }

    /// What was asked of a run's features; `nil` for a run of before.
    package func checks(ofRun id: String) throws -> TrainingChecks? {
        guard let kept = try registry.runs.show(id).artifacts.first(where: { $0.name == ArtifactName.checks }) else {
            return nil
        }
        return try JSON.decode(TrainingChecks.self, from: artifacts.get(kept.digest, kept.name))
    }
}
