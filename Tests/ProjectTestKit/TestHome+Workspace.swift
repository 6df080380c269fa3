internal import Core
package import Lakehouse
internal import LakehouseDuckDB
internal import Projects
internal import Storage
package import TestSupport
package import Training
internal import TrainingLightGBM
package import Workflow

extension TestHome {
    /// The home's tables, with the product's SQL engine.
    package func lake(_ clock: VirtualClock, threads: Int = 1, memory: String = "256MB") throws -> Lake {
        let engine = try DuckDBLakeEngine(
            threads: threads, memoryLimit: memory, spillFolder: home.spill, pause: pause)
        return Lake(root: home.lake, engine: engine, context: clock.context())
    }

    /// The project, ready to work in this process, with the product's SQL engine and learners.
    /// - Parameters:
    ///   - library: what decides what a model looks like, beside its data and specification.
    ///   - learner: makes the learner in place of the product's.
    package func workspace(
        _ clock: VirtualClock, library: String = "test", learner: (@Sendable (LearnerPlan) throws -> any Learner)? = nil
    ) throws -> Workspace {
        let project = try project()
        return Workspace(
            project: project, home: home, lake: try lake(clock), registry: try registry(clock, project: project.name),
            artifacts: ArtifactStore(folder: home.artifacts), actor: "ada", context: clock.context(), cpuSeconds: { 0 },
            trainingThreads: 1, learners: Self.learners(library: library, learner))
    }

    /// The learners that the product has.
    package static func learners(
        library: String = "test", _ learner: (@Sendable (LearnerPlan) throws -> any Learner)? = nil
    ) -> LearnerCatalogue {
        let product = LightGBMLearner.descriptor
        let boosted = LearnerDescriptor(
            kind: product.kind, defaultRounds: product.defaultRounds, format: product.format,
            library: .init(name: product.library.name) { library }, make: learner ?? product.make,
            scorer: product.scorer)
        return LearnerCatalogue([boosted, RandomForestLearner.descriptor(readBy: boosted)])
    }

    /// ``Wards`` with its two files landed, after its first run: every layer has a table, `stay@1` is the champion.
    package static func ran(
        _ clock: VirtualClock, _ changes: (old: String, new: String)...
    ) throws -> TestHome {
        let place = try TestHome.wards(changes)
        try place.land("visits", "first.csv", Wards.first)
        try place.land("visits", "later.csv", Wards.unlabelled)
        try place.run(clock)
        return place
    }

    /// Runs the project from its files to a stage.
    @discardableResult
    package func run(_ clock: VirtualClock, to last: Stage = .predict) throws -> RunReport {
        try workspace(clock).run(to: last, journal: journal(clock))
    }

    package func journal(_ clock: VirtualClock) -> Journal {
        Journal(path: home.trace, context: clock.context(), cpuSeconds: { 0 })
    }
}
