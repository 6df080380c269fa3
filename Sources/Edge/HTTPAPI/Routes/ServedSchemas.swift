internal import Serving
internal import Training

/// OpenAPI schemas derived from the models that the server answers with now, naming the columns of a row.
///
/// ```swift
/// let schemas = ServedSchemas.components(catalog)
/// ```
enum ServedSchemas {
    /// One row of any model: the schema while none is loaded.
    private static let anyRow = Schema.object([], additional: .any)
    private static let anyColumns = Schema.object([], additional: .list(.any))

    /// Returns the schemas `Row`, one row as an object, and `Columns`, rows as a list a column; of one of the models.
    /// - Parameter catalog: `nil` for a server that has no models.
    static func components(_ catalog: ModelCatalog?) -> [String: Schema] {
        let models = catalog?.slots.compactMap(\.served) ?? []
        return [
            "Row": either(models.map { row($0) }, or: anyRow),
            "Columns": either(models.map { columns($0) }, or: anyColumns),
        ]
    }

    private static func either(_ schemas: [Schema], or other: Schema) -> Schema {
        var distinct: [Schema] = []
        for schema in schemas where !distinct.contains(schema) { distinct.append(schema) }
        return distinct.isEmpty ? other : distinct.count == 1 ? distinct[0] : .anyOf(distinct)
    }

    /// Numbers that stand for categories are taken as they would be written, truth values as "true" and "false".
    private static func value(isCategory: Bool) -> Schema {
        isCategory ? .oneOf([.text, .number, .boolean, .null]) : .number.orNull
    }

    /// Further columns are accepted and reported in `warnings`.
    private static func row(_ model: ServedModel) -> Schema {
        .object(
            model.signature.columns.map { .init($0.name, value(isCategory: $0.type == .category)) }, additional: .any)
    }

    private static func columns(_ model: ServedModel) -> Schema {
        .object(
            model.signature.columns.map { .init($0.name, .list(value(isCategory: $0.type == .category))) },
            additional: .list(.any))
    }
}
