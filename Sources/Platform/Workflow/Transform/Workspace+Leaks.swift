internal import Core
package import Lakehouse
package import Projects
package import SQLLineage

extension Workspace {
    /// Returns the column lineage of all the project's tables.
    package func lineage(_ planned: [PlannedTransform]) throws -> ProjectLineage {
        try ProjectLineage(
            sources: project.sources.map(\.contract.schema), queries: planned.map(\.transform.lineageQuery),
            parser: lake.engine)
    }

    /// Returns the leak check of a model; `nil` when no transform of the project makes its table.
    package func leakCheck(_ model: Project.Model, _ lineage: ProjectLineage) -> LeakCheck? {
        LeakCheck(lineage, checked(model))
    }

    /// Throws when a feature depends on data that are not known at the time of prediction.
    ///
    /// - Returns: by model, whether its features could be checked.
    @discardableResult
    package func refuseLeaks(_ planned: [PlannedTransform]) throws -> [String: TrainingChecks.Leaks] {
        guard !project.models.isEmpty else { return [:] }
        let lineage = try lineage(planned)
        let leaks = project.models.flatMap { leakCheck($0, lineage)?.leaks() ?? [] }
        if let error = try leakError(leaks, planned) { throw error }
        return Dictionary(project.models.map { ($0.name, leakStatus($0, lineage)) }) { first, _ in first }
    }

    /// Returns the error for leaks; errors of SQL that does not fit the tables take precedence.
    ///
    /// Of a column that does not exist, the lineage can only say that it may be any.
    func leakError(_ leaks: [Leak], _ planned: [PlannedTransform]) throws -> MartletError? {
        guard let error = leaks.error(in: project.folder) else { return nil }
        _ = try shapes(of: planned)
        return error
    }
}
