import Core
import Foundation
import Registry
import SQLText
import SQLite
import Synchronization
import TestSupport
import Testing

typealias Scratch = TemporaryFolder

extension TemporaryFolder { var file: String { path + "/martlet.db" } }

/// A registry in a new file.
struct RegistryFixture {
    let scratch: Scratch
    let database: any SQLDatabase
    let virtual: VirtualClock
    let registry: ModelRegistry

    init(project: String = "hospital", virtual: VirtualClock = VirtualClock(step: 1)) throws {
        scratch = try Scratch()
        database = try TestDatabase.open(scratch.path)
        self.virtual = virtual
        registry = try ModelRegistry.open(database, project: project, context: virtual.context())
    }

    func acting(as actor: String) throws -> ModelRegistry {
        try ModelRegistry.open(database, project: "hospital", actor: actor, context: virtual.context())
    }

    /// Records a finished run and registers it.
    @discardableResult
    func version(_ policy: ApprovalPolicy = .none, model: String = "readmission") throws -> VersionSummary {
        let run = sample(virtual.id(), model: model)
        try registry.runs.record(run)
        return try registry.models.register(run: run.id, approval: policy).version
    }

    func aliases(_ model: String = "readmission") throws -> [String: Int] {
        var found: [String: Int] = [:]
        for version in try registry.models.versions(of: model) {
            for alias in version.aliases { found[alias.rawValue] = version.version }
        }
        return found
    }
}

func named(_ text: String) throws -> ModelReference { try ModelReference(parsing: text) }

func sample(
    _ id: String, model: String = "readmission", status: Run.Status = .finished, seed: Int = 42, auc: Double = 0.6875,
    synthetic: Bool = false
) -> Run {
    Run(
        id: id,
        experiment: model,
        model: model,
        status: status,
        started: Timestamp(microseconds: 1_600_000_000_000_000 + (Int64(id.suffix(8), radix: 16) ?? 0) * 1_000_000),
        ended: Timestamp(microseconds: 1_650_000_000_000_000),
        actor: "ada",
        seed: seed,
        fingerprint: Digest(of: "configuration \(seed)"),
        synthetic: synthetic,
        error: status == .failed ? "the table is empty" : nil,
        modelHash: Digest(of: "model \(id)"),
        params: ["num_leaves": "15", "learning_rate": "0.03", "seed": "\(seed)"],
        metrics: [
            Metric(part: "test", name: "roc_auc", value: auc, low: auc - 0.0625, high: auc + 0.0625),
            Metric(part: "test", name: "npv", value: .nan),
            Metric(part: "cv", name: "roc_auc", value: 0.66),
            Metric(part: "cv", name: "roc_auc", value: 0.67, fold: 1),
            Metric(part: "cv", name: "roc_auc", value: 0.65, fold: 0),
        ],
        gates: [GateResult(part: "test", metric: "roc_auc", comparator: .atLeast, bound: 0.66, value: auc)],
        artifacts: [Artifact(name: "model.txt", digest: Digest(of: "bytes"), bytes: 5, mediaType: "text/plain")],
        lineage: Lineage(
            files: [
                LineageFile(
                    source: "encounters", digest: Digest(of: "file"), name: "diabetic_data.csv", rows: 101_766,
                    rejected: 3, synthetic: synthetic)
            ],
            tables: [
                LineageTable(
                    name: "gold.encounters", snapshot: 2, rows: 99, hash: "h\(seed)",
                    parents: [TableSnapshot(name: "silver.encounters", snapshot: 1)]),
                LineageTable(name: "silver.encounters", snapshot: 1, rows: 100, hash: "s", parents: []),
            ])
    )
}

func caught(_ body: () throws -> Void) -> MartletError? {
    do {
        try body()
        return nil
    } catch {
        return error as? MartletError
    }
}

/// Runs `body` on `count` threads at once and gives what they threw.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) -> [String] {
    let errors = Mutex<[String]>([])
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        Thread {
            do { try body(index) } catch { errors.withLock { $0.append("\(error)") } }
            group.leave()
        }.start()
    }
    group.wait()
    return errors.withLock { $0 }
}

func json(_ value: some Encodable) throws -> [String: Any] {
    let data = try JSONEncoder().encode(value)
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
}
