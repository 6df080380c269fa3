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

extension Route.Reply {
    /// How a route that speaks another's protocol refuses: in that protocol's form what the scoring itself refuses, as
    /// problem details what is refused before.
    static func refusals(_ form: Schema) -> [Route.Reply] {
        let sentences = [
            400: "The body cannot be scored, or the request cannot be understood.",
            401: "No token or session, or one that does not hold.", 403: "Not allowed.", 404: "There is no such model.",
            405: "Not with this method.", 408: "It came too slowly.", 413: "Too many bytes.",
            415: "Not in this form.", 421: "Not this server's name.", 429: "Too many requests.",
            500: "A fault of Martlet.", 501: "The body is packed for the way.",
            503: "The model is not loaded, or the prediction log takes nothing.",
        ]
        return sentences.sorted { $0.key < $1.key }.map { status, sentence in
            .init(status, sentence, .init(form), .init("application/problem+json", .named("Problem")))
        }
    }
}
