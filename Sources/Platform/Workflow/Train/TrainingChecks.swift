internal import Core
internal import Lakehouse
internal import Projects
internal import Registry
internal import SQLLineage
package import Training

/// Results of the leak checks of a model's features before training; stored with the run.
package struct TrainingChecks: Codable, Sendable {
    /// Whether the features could be checked for leaks.
    package struct Leaks: Codable, Sendable, Equatable {
        /// Why they could not be checked; `nil` when they were, and no leak was found.
        package var unchecked: String?
        /// Column with the time of prediction.
        package var moment: String?
        /// Sources whose rows count as always known.
        package var timeless: [String]

        /// The result in words.
        package var sentence: String {
            if let unchecked { return "not checked, because \(unchecked)" }
            let rest =
                timeless.isEmpty ? "" : "; \(timeless.joined(separator: ", ")) without event_time: known at any time"
            return "no feature knows what is not known yet at \(moment ?? "the moment of prediction")\(rest)"
        }
    }

    /// Result of the leak check.
    package var leaks: Leaks
    /// Features that predict the target almost alone.
    package var telltales: [LeakageWarning]

    /// Warnings for people, as sentences.
    package var warnings: [String] {
        telltales.map { "\($0.sentence); is it known before the outcome? If not, name it under features.exclude" }
    }
}

extension Workspace {
    /// Returns whether the features of a model could be checked for leaks, and why not.
    func leakStatus(_ model: Project.Model, _ lineage: ProjectLineage) -> TrainingChecks.Leaks {
        guard let check = leakCheck(model, lineage) else {
            return .init(
                unchecked: "\(model.table) is not made by SQL of this project, so nobody can say what its columns knew",
                timeless: [])
        }
        return .init(
            unchecked: check.gap.map { "\($0) (only that no feature is made of the target)" }, moment: check.momentName,
            timeless: check.gap == nil ? check.timelessSources : [])
    }

    /// Returns the stored checks of a run; `nil` for a run of an earlier release.
    package func checks(ofRun id: String) throws -> TrainingChecks? {
        guard let kept = try registry.runs.show(id).artifacts.first(where: { $0.name == ArtifactName.checks }) else {
            return nil
        }
        return try JSON.decode(TrainingChecks.self, from: artifacts.get(kept.digest, kept.name))
    }
}
