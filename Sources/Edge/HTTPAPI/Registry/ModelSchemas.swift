internal import Core

/// JSON schemas of the routes for models. Each mirrors the `Encodable` of `Registry`; a test compares them.
enum ModelSchemas {
    static let time = Schema.text(format: "date-time")
    /// A time in a query: with its time of day, or a day's beginning in UTC.
    static let moment = Schema.anyOf([.text(format: "date-time"), .text(format: "date")])
    static let name = Schema.text(pattern: "^[A-Za-z][A-Za-z0-9_-]{0,99}$")
    static let version = Schema.integer(minimum: 1)
    static let digest = Schema.text(pattern: "^[0-9a-f]{64}$")
    static let reason = Schema.text(maxLength: 2000)

    static let approval = Schema.object(
        .init("policy", .text(oneOf: ["none", "required"])),
        .init("state", .text(oneOf: ["none", "pending", "approved", "rejected"])),
        .init("at", time, optional: true), .init("actor", .text, optional: true),
        .init("reason", .text, optional: true))

    private static let summaryMembers: [Schema.Member] = [
        .init("model", name), .init("version", version), .init("run", .text), .init("created", time),
        .init("actor", .text, "Who registered it."),
        .init("synthetic", .boolean, "Whether it learned from made-up rows."), .init("model_hash", digest),
        .init("approval", approval), .init("aliases", .list(.text(oneOf: ["champion", "candidate"]))),
    ]

    /// A version.
    static let summary = Schema.object(summaryMembers)

    private static let figure = Schema.object(
        .init("value", .number.orNull), .init("low", .number.orNull), .init("high", .number.orNull),
        .init("folds", .list(.number.orNull), optional: true))

    /// A version with what its run measured and stands on.
    static let whole = Schema.object(
        summaryMembers + [
            .init("params", .object([], additional: .text)),
            .init("metrics", .object([], additional: .object([], additional: figure)), "By part and name."),
            .init(
                "gates",
                .list(
                    .object(
                        .init("part", .text), .init("metric", .text),
                        .init("comparator", .text(oneOf: ["at_least", "at_most"])), .init("bound", .number),
                        .init("value", .number.orNull, optional: true),
                        .init(
                            "judged", .number, optional: true,
                            "What was held against the bound, where that is not the value."),
                        .init("passed", .boolean)))),
            .init(
                "artifacts",
                .list(
                    .object(
                        .init("name", .text), .init("digest", digest), .init("bytes", .integer(minimum: 0)),
                        .init("media_type", .text)))),
            .init("lineage", .object(.init("files", .list(file)), .init("tables", .list(table)))),
            .init("seed", .integer), .init("fingerprint", digest), .init("experiment", .text),
        ])

    private static let file = Schema.object(
        .init("source", .text), .init("digest", digest), .init("name", .text), .init("rows", .integer(minimum: 0)),
        .init("rejected", .integer(minimum: 0)), .init("synthetic", .boolean))
    private static let table = Schema.object(
        .init("name", .text), .init("snapshot", .integer(minimum: 0)), .init("rows", .integer(minimum: 0)),
        .init("hash", .text),
        .init("parents", .list(.object(.init("name", .text), .init("snapshot", .integer(minimum: 0))))))

    /// A model in a list.
    static let model = Schema.object(
        .init("model", name), .init("created", time),
        .init("versions", .integer(minimum: 0), "How many, which is also the newest."),
        .init("champion", version, optional: true), .init("candidate", version, optional: true),
        .init("pending", .list(version), "Versions that wait for a decision."), .init("synthetic", .boolean))

    /// A move of the champion.
    static let move = Schema.object(
        .init("model", name), .init("from", version, optional: true), .init("to", version), .init("moved", .boolean))

    static let registration = Schema.object(.init("version", summary), .init("new", .boolean))

    /// A page of a list; `next_cursor` goes on.
    static func page(of item: Schema) -> Schema {
        .object(
            .init("items", .list(item)), .init("next_cursor", .text.orNull, "Send it as `cursor` for the next page."))
    }

    /// NAME, NAME@3, NAME@champion.
    static let reference = Schema.text(
        pattern: "^[A-Za-z][A-Za-z0-9_-]{0,99}(@(champion|candidate|[1-9][0-9]{0,8}))?$")
    /// NAME@3, NAME@champion.
    static let versionReference = Schema.text(
        pattern: "^[A-Za-z][A-Za-z0-9_-]{0,99}@(champion|candidate|[1-9][0-9]{0,8})$")
}
