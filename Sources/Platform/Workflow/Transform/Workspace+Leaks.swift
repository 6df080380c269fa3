package import Core
package import Lakehouse
package import Projects
package import SQLLineage

extension Workspace {
    /// What every column of the project comes from.
    package func lineage(_ planned: [PlannedTransform]) throws -> ProjectLineage {
        try ProjectLineage(
            sources: project.sources.map(\.contract.schema), queries: planned.map(\.transform.lineageQuery),
            parser: lake.engine)
    }

    /// The check of one model's features; `nil` when no transform of the project makes its table.
    package func leakCheck(_ model: Project.Model, _ lineage: ProjectLineage) -> LeakCheck? {
        LeakCheck(lineage, checked(model))
    }

    /// Refuses features that know what is not known yet when they are asked for.
    /// - Returns: by model, whether its features could be looked at.
    @discardableResult
    package func refuseLeaks(_ planned: [PlannedTransform]) throws -> [String: TrainingChecks.Leaks] {
        guard !project.models.isEmpty else { return [:] }
        let lineage = try lineage(planned)
        let leaks = project.models.flatMap { leakCheck($0, lineage)?.leaks() ?? [] }
        if let error = try leakError(leaks, planned) { throw error }
        return Dictionary(project.models.map { ($0.name, leakStatus($0, lineage)) }) { first, _ in first }
    }

    /// The refusal of leaks. What does not fit the tables is told as that: of a column that is not there, the lineage
    /// can only say that it may be any.
    package func leakError(_ leaks: [Leak], _ planned: [PlannedTransform]) throws -> MartletError? {
        guard let error = leaks.error(in: project.folder) else { return nil }
        _ = try shapes(of: planned)
        return error
    }
}
