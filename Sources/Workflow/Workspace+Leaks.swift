package import Lakehouse
package import Projects
internal import Vocabulary

extension Workspace {
    /// What every column of the project comes from.
    package func lineage(_ planned: [PlannedTransform]) throws -> ProjectLineage {
        try ProjectLineage(
            contracts: project.sources.map(\.contract), transforms: planned, engine: lake.engine)
    }

    /// The check of one model's features; `nil` when no transform of the project makes its table.
    package func leakCheck(_ model: Project.Model, _ lineage: ProjectLineage) -> LeakCheck? {
        LeakCheck(lineage, checked(model))
    }

    /// Refuses features that know what is not known yet when they are asked for.
    package func refuseLeaks(_ planned: [PlannedTransform]) throws {
        guard !project.models.isEmpty else { return }
        let lineage = try lineage(planned)
        let leaks = project.models.flatMap { leakCheck($0, lineage)?.leaks() ?? [] }
        if let error = leaks.error(in: project.folder) { throw error }
    }
}
