package import Core
internal import Lakehouse
internal import LakehouseDuckDB
internal import Projects
package import Registry
internal import SQLLineage
internal import Storage
package import Workflow

extension Composition {
    /// Makes the handler that computes single feature rows, ready for its first request, and its greeting.
    ///
    /// - Parameters:
    ///   - model: its name; the only one when `nil`.
    ///   - version: whose stored SQL counts; the project's own when `nil`.
    ///   - proof: how many rows of the table are computed again before the first request.
    ///   - keepsRows: whether received rows are kept for later records.
    /// - Throws: `process.differs` when the features come out otherwise than in the model's table.
    package func featureHandler(
        model: String?, version: ModelReference?, proof: Int, keepsRows: Bool
    ) throws -> (handler: FeatureRequestHandler, greeting: JSONValue) {
        try withReadingWorkspace { workspace in
            let model = try workspace.project.model(version?.model ?? model)
            let lake = workspace.lake
            // Before the files are read: a version that comes in between is seen as news.
            let next = try workspace.project.sources.map { source in
                let table = lake.table(TableName(.bronze, source.name))
                return table.entry(
                    try table.exists ? try lake.snapshot(of: TableName(.bronze, source.name)).version + 1 : 0)
            }
            let start = context.uptime()
            let plan = try workspace.featurePlan(model, of: version)
            let spill = home.spill
            let engine = try DuckDBFeatureEngine(
                plan, memoryLimit: try memory(), spillFolder: spill, pause: context.clock.block)
            let loaded = context.uptime()
            let found = try engine.prove(records: proof)
            if let difference = found.difference {
                throw MartletError(
                    .refused, "process.differs",
                    "A record computed from raw rows would not have the features that the model learned from: \(difference).",
                    remedy:
                        "`martlet replay` shows which features know what came later; `martlet lineage` what they are made of."
                )
            }
            let handler = FeatureRequestHandler(
                engine,
                journal: keepsRows ? RowJournal(folder: home.rawRows, context: context) : nil,
                isStale: { next.contains { Disk.exists($0) } })
            let pruned = try handler.prune()
            try handler.catchUp()
            var greeting: [String: JSONValue] = [
                "ready": .flag(true), "model": .text(model.name), "proved": .integer(Int64(found.records)),
                "restricted": .flag(found.isRestricted), "load_seconds": .number(loaded - start),
                "seconds": .number(context.uptime() - start),
                "columns": .list(
                    engine.columns.map { .object(["name": .text($0.name), "type": .text($0.type)]) }),
            ]
            if pruned > 0 { greeting["pruned_files"] = .integer(Int64(pruned)) }
            if handler.skipped.rows > 0 {
                greeting["skipped_rows"] = .integer(Int64(handler.skipped.rows))
                greeting["skipped_because"] = .text(handler.skipped.reason ?? "they do not fit their contracts")
            }
            if let why = found.restriction { greeting["unrestricted_because"] = .text(why) }
            return (handler, .object(greeting))
        }
    }
}
