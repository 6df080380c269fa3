internal import Core
package import Lakehouse
package import Projects
internal import Registry
package import SQLLineage

extension Workspace {
    /// Returns the project's transforms in build order, parents first.
    package func plannedTransforms() throws -> [PlannedTransform] {
        try plan(project.transforms)
    }

    func plan(_ transforms: [Transform]) throws -> [PlannedTransform] {
        let moments = moments(of: transforms)
        let planned = try transforms.map { transform in
            let analysis = try lake.engine.parse(transform.sql, file: transform.file).analysis()
            let reads = Set(analysis.tables)
            return PlannedTransform(
                transform: transform, analysis: analysis, moments: moments.filter { reads.contains($0.key) })
        }
        return try TransformPlan.order(planned, sources: Set(project.sources.map { $0.name.lowercased() }))
    }

    /// The event time of every table that has one.
    private func moments(of transforms: [Transform]) -> [TableName: PlannedTransform.InputMoment] {
        var moments: [TableName: PlannedTransform.InputMoment] = [:]
        for source in project.sources {
            guard let name = source.contract.eventTime else { continue }
            let column = source.contract.columns.first { $0.name == name }
            moments[TableName(.bronze, source.name)] = .init(column: name, isNullable: column?.nullable ?? true)
        }
        for transform in transforms {
            guard let incremental = transform.incremental else { continue }
            moments[transform.table] = .init(column: incremental.by, isNullable: false)
        }
        return moments
    }

    /// Whether a transform's SQL fits the tables it reads; `false` when one of them does not exist yet.
    /// - Throws: the engine's error for the SQL, with its place.
    package func check(_ planned: PlannedTransform) throws -> Bool {
        var inputs: [TableName: [String]] = [:]
        for table in planned.analysis.tables {
            guard try lake.table(table).exists else { return false }
            inputs[table] = try lake.files(of: table)
        }
        _ = try lake.engine.describe(Query(planned.transform.sql, file: planned.transform.file, inputs: inputs))
        return true
    }

    /// Returns the columns of every table as contracts and SQL define them, whether it exists or not.
    ///
    /// - Throws: the engine's error for SQL that does not fit, with its place.
    package func shapes(of planned: [PlannedTransform]) throws -> [TableName: [DeltaField]] {
        var shapes: [TableName: [DeltaField]] = [:]
        for source in project.sources { shapes[TableName(.bronze, source.name)] = source.contract.fields }
        for item in planned {
            var query = Query(item.transform.sql, file: item.transform.file)
            for table in item.analysis.tables { query.shapes[table] = shapes[table] }
            let fields = try lake.engine.describe(query)
            // Types that Delta does not have come in the engine's own capitals.
            if let odd = fields.first(where: { $0.type != $0.type.lowercased() }) {
                throw MartletError(
                    .input, "transform.type", "Column \(odd.name) has the type \(odd.type), which a table cannot hold.",
                    at: .init(file: item.transform.file),
                    remedy: "Cast it in the SELECT, for example to TEXT, DOUBLE or BIGINT.")
            }
            shapes[item.transform.table] = fields
        }
        return shapes
    }

    /// Returns the columns of a table by the SQL, or else of the table as it exists; `nil` when there is none.
    package func columns(of table: TableName, _ shapes: [TableName: [DeltaField]]) throws -> [DeltaField]? {
        if let made = shapes[table] { return made }
        return try lake.table(table).exists ? lake.snapshot(of: table).metadata?.fields() : nil
    }

    /// Throws when a model names columns that its table does not have.
    package func check(_ model: Project.Model, against fields: [DeltaField]) throws {
        let table = TrainingTable(model: ModelSpecification(model), engine: lake.engine, files: [])
        _ = try table.features(among: fields)
    }

    /// A table and everything it is made from, parents first.
    func ancestry(of table: TableName, in planned: [PlannedTransform]) -> (
        bronze: [TableName], built: [PlannedTransform]
    ) {
        var wanted: Set<TableName> = [table]
        var built: [PlannedTransform] = []
        for item in planned.reversed() where wanted.contains(item.transform.table) {
            built.append(item)
            wanted.formUnion(item.analysis.tables)
        }
        return (wanted.filter { $0.layer == .bronze }.sorted(), built.reversed())
    }

    /// What a table stands on now: files, and every table at its current version.
    func lineage(of table: TableName, in planned: [PlannedTransform]) throws -> Lineage {
        let (bronze, built) = ancestry(of: table, in: planned)
        var lineage = Lineage()
        for name in bronze {
            let reference = try lake.reference(to: name)
            lineage.files += try lake.ingestedFiles(name.name, upTo: reference.version).map {
                LineageFile(
                    source: name.name, digest: $0.digest, name: $0.name, rows: $0.rows, rejected: $0.rejected,
                    synthetic: $0.synthetic)
            }
            lineage.tables.append(
                LineageTable(
                    name: name.description, snapshot: reference.version, rows: reference.hash.rows,
                    hash: reference.hash.description, parents: []))
        }
        for item in built {
            let reference = try lake.reference(to: item.transform.table)
            let parents = try item.analysis.tables.map {
                TableSnapshot(name: $0.description, snapshot: try lake.reference(to: $0).version)
            }
            lineage.tables.append(
                LineageTable(
                    name: item.transform.table.description, snapshot: reference.version, rows: reference.hash.rows,
                    hash: reference.hash.description, parents: parents))
        }
        return lineage
    }
}
