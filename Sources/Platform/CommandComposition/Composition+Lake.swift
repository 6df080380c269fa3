internal import Composition
internal import Core
package import Lakehouse
internal import Projects
internal import Registry
package import SQLLineage
internal import Storage
internal import Workflow

extension Composition {
    /// Opens the lake for a command that only reads tables; needs neither the registry nor a lock.
    package func withLake<T>(_ body: (Lake) throws -> T) throws -> T {
        _ = try project()
        return try body(try lake())
    }

    /// Opens the lake for compaction or vacuum, of which one at a time runs in a project.
    /// - Parameter alone: whether no other command may write meanwhile.
    package func withMaintenance<T>(
        alone: Bool, memory: String? = nil, _ body: (Lake) throws -> T
    ) throws -> T {
        let project = try project()
        try makeHome()
        guard let maintenance = try FileLock(home.maintenanceLock) else {
            throw MartletError(
                .conflict, "project.busy", "Another compaction or vacuum is at work in \(project.folder).",
                remedy: "Wait until it has finished, or stop it.")
        }
        let lock = alone ? try FileLock(home.lock) : nil
        if alone, lock == nil {
            throw MartletError(
                .conflict, "project.busy", "Another martlet is at work in \(project.folder).",
                remedy: "Wait until it has finished, or stop it.")
        }
        return try withExtendedLifetime((maintenance, lock)) {
            let lake = try lake(memory: memory)
            guard try metadata(of: project).exists() else { return try body(lake) }
            let keeper = keepEvents(of: lake, in: try registry(project, writing: true))
            let result = try body(lake)
            try keeper.settle()
            return result
        }
    }

    /// A table version that a registered model was trained on, which `verify` needs.
    package struct Pin: Sendable {
        /// Name of the table, with its layer.
        package let table: TableName
        /// Delta version of the table that the model's run read.
        package let version: Int
        /// Model version: "readmission@3".
        package let model: String
    }

    /// Returns the table versions that registered models were trained on; empty when there is no registry yet.
    package func pins() throws -> [Pin] {
        let project = try project()
        guard try metadata(of: project).exists() else { return [] }
        let registry = try registry(project, writing: false)
        return try registry.models.list().flatMap { model in
            try registry.models.versions(of: model.model).flatMap { version in
                let reference = ModelReference(model: model.model, selector: .version(version.version))
                return try registry.models.show(reference).run.lineage.tables.compactMap { table in
                    TableName(table.name).map {
                        Pin(table: $0, version: table.snapshot, model: "\(model.model)@\(version.version)")
                    }
                }
            }
        }
    }
}
