package import Composition
package import Core
internal import Forests
package import PredictionLog
package import Projects
package import Registry
package import Serving
internal import Storage
internal import Training
internal import Workflow

/// A project whose champions are served: its registry, opened read-only, and its artifacts.
package struct ServedProject: Sendable {
    /// The project's files as they were when the server started; later changes need a restart.
    package let project: Project
    /// Where the project keeps its state.
    package let home: ProjectHome
    /// Location of the metadata database of `project`: a SQLite file in `home`, or a PostgreSQL database.
    package let metadata: MetadataLocation
    let context: ExecutionContext
    /// Prediction log that answers are written to, open for writing; `nil` where nothing is logged.
    package let log: PredictionLog?
    /// Opens the project's registry for writing when it is first needed, and keeps it open.
    package let registries: RegistryProvider
    /// Why the registry's schema could not be brought up to date at the start; `nil` when it was.
    package let lastError: MartletError?

    /// Loads the project, opens its registry and prediction log, and makes those that do not exist yet.
    /// - Parameter disk: where the prediction log writes.
    /// - Throws: `registry.gone` when there is no registry where there are tables.
    package init(
        folder: String, home: ProjectHome?, log mode: PredictionLogMode?, policy: PredictionLogPolicy,
        disk: some SegmentDisk = RealDisk(), context: ExecutionContext
    ) throws {
        project = try Project.load(folder, splitSeed: nil, learners: nil)
        let home = home ?? ProjectHome(ofProject: project.folder)
        self.home = home
        self.context = context
        try Disk.makeDirectory(home.folder)
        try Disk.keepToAccount(home.folder)
        metadata = try MetadataLocation(project, home: home, context: context)
        registries = RegistryProvider(
            project: project.name, metadata: metadata, running: home.running, context: context)
        let isNew = try !metadata.exists()
        if isNew { try Self.refuseLoss(of: metadata, home) }
        do {
            _ = try metadata.open(.writing(creating: isNew))
            lastError = nil
        } catch let error as MartletError {
            if isNew { throw error }
            lastError = error
        }
        log = try mode.map {
            try PredictionLog.open(folder: home.predictions, mode: $0, policy: policy, disk: disk, context: context)
        }
    }

    /// A new registry would hide that the old one is gone, and with it everybody who may log in.
    private static func refuseLoss(of metadata: MetadataLocation, _ home: ProjectHome) throws {
        guard let layer = try Disk.list(home.lake).first(where: { try !Disk.list("\(home.lake)/\($0)").isEmpty }) else {
            return
        }
        throw MartletError(
            .missing, "registry.gone",
            "The registry is gone, though the lakehouse has tables in \(layer): versions, runs, approvals, users and "
                + "tokens stood in it.", at: .init(file: metadata.place), remedy: metadata.remedyOfLoss)
    }

    /// Keys of all models of the project, in the order of martlet.yaml; also of those without a version yet.
    package var keys: [ModelKey] { project.models.map { ModelKey(project: project.name, model: $0.name) } }

    /// Opens the registry for reading: a SQLite file anew at each call, PostgreSQL through one shared pool.
    /// - Throws: `registry.gone` when its file or its tables were taken away since the server started.
    package func registry() throws -> ModelRegistry {
        guard try metadata.exists() else {
            // It was there, or was made, when the server began.
            throw MartletError(
                .missing, "registry.gone", "The registry of the project \(project.name) is gone.",
                at: .init(file: metadata.place), remedy: metadata.remedyOfLoss)
        }
        return ModelRegistry(
            try metadata.open(.reading), project: project.name, actor: SystemPlatform.account, context: context)
    }

    /// Loads a version from the registry and the artifact store, checking every digest, and tries it on the sample
    /// predictions that were stored with it.
    package func load(_ reference: ModelReference) throws -> (model: ServedModel, verified: Int?) {
        let found = try registry().models.show(reference)
        let artifacts = ArtifactStore(folder: home.artifacts)
        func artifact(_ name: String) throws -> [UInt8] {
            guard let artifact = found.run.artifacts.first(where: { $0.name == name }) else {
                throw MartletError(.missing, "artifact.missing", "\(reference) has no artifact \(name).")
            }
            return try artifacts.get(artifact.digest, name)
        }
        let record = try Stored.read(
            ModelRecord.self, try artifact(ArtifactName.record), "\(ArtifactName.record) of \(reference)")
        let key = ModelKey(project: project.name, model: found.summary.model)
        let model = try ServedModel(
            key: key, version: found.summary.version,
            hash: found.summary.modelHash, synthetic: found.summary.synthetic, record: record,
            schema: RowSchema(
                record.signature, policy: record.plan.input ?? InputPolicy(), ranges: record.ranges ?? [:],
                entity: record.plan.entity ?? project.models.first { $0.name == key.model }?.key),
            forest: try CompactForest(format: record.format, try artifact(ArtifactName.model(in: record.format))),
            journal: try log.map {
                try ModelJournal($0, key: key, version: found.summary.version, signature: record.signature)
            })
        // Versions of before have none.
        guard found.run.artifacts.contains(where: { $0.name == ArtifactName.samples }) else { return (model, nil) }
        let samples = try Stored.read(
            SamplePredictions.self, try artifact(ArtifactName.samples), "\(ArtifactName.samples) of \(reference)")
        return (model, try model.verify(samples))
    }

    /// The champions that rollbacks of a model would return to in turn, the present one last.
    package func champions(of model: String) throws -> [Int] { try registry().models.history(model).line }

    /// The version that answers for a model now.
    package func champion(of model: String) throws -> Int {
        try registry().models.resolve(ModelReference(model: model, selector: .alias(.champion))).version
    }
}
