internal import Lakehouse
internal import SourceFormats
internal import Training

/// The schemas of the files that a user writes.
///
/// ```swift
/// let json = ConfigSchemas.project(learners: ["lightgbm"]).jsonSchema(title: "martlet.yaml")
/// ```
package enum ConfigSchemas {
    /// Schema of a contract: `contracts/<source>.yaml`.
    package static let contract = ConfigSchema.object([
        SchemaField("description", .text(), "what one row is"),
        SchemaField(
            "on_violation", .text(allowed: Contract.OnViolation.allCases.map(\.rawValue)), "what a bad row leads to"),
        SchemaField(
            "max_rejected", .number(min: 0, max: 1), "largest share of bad rows with which a file is still taken"),
        SchemaField("key", .list(.text()), "columns that identify a row"),
        SchemaField(
            "on_key_conflict", .text(allowed: Contract.OnKeyConflict.allCases.map(\.rawValue)),
            "what happens when a key comes again"),
        SchemaField("event_time", .text(), "the column that says when the row's event happened"),
        SchemaField("available_at", .text(), "the column that says since when the row is known (default event_time)"),
        SchemaField("columns", .map(column), required: true, "the columns, in order"),
    ])

    private static let column = ConfigSchema.object([
        SchemaField("type", .text(), required: true, "its type: " + ColumnType.spellings.joined(separator: ", ")),
        SchemaField("from", .list(.text()), "header names under which files bring it"),
        SchemaField(
            "position", .integer(min: 1, max: 100_000), "its place in a record, from 1, whatever the header says"),
        SchemaField("nullable", .flag, "whether it may be missing (default true)"),
        SchemaField("optional", .flag, "whether a file may lack the column"),
        SchemaField("min", .scalar, "smallest value"),
        SchemaField("max", .scalar, "largest value"),
        SchemaField("allowed", .list(.scalar), "the only values"),
        SchemaField("pattern", .text(), "regular expression that the whole text must match"),
        SchemaField("format", .text(), "how dates are written, e.g. \"%d-%m-%Y\""),
        SchemaField("unit", .text(), "unit of measurement"),
        SchemaField("missing", .list(.text()), "texts that mean missing in this column"),
        SchemaField(
            "on_violation", .text(allowed: Contract.OnViolation.allCases.map(\.rawValue)), "overrides the contract's"),
        SchemaField(
            "available_at", .text(), "the column that says since when this value is known, if later than the row"),
        SchemaField("pii", .text(allowed: ["none", "quasi", "direct"]), "how much it tells about a person"),
        SchemaField("description", .text(), "what it is"),
    ])

    /// Schema of `martlet.yaml`.
    /// - Parameter learners: names of those that a model may have; `nil` takes any.
    package static func project(learners: [String]?) -> ConfigSchema {
        .object([
            SchemaField("name", .text(), required: true, "the project's name"),
            SchemaField("description", .text(), "what it is for"),
            SchemaField(
                "metadata", .text(),
                "where runs, models and people are kept: postgres://… (default: SQLite in .martlet)"),
            SchemaField("sources", .map(source), required: true, "where files come from; each becomes bronze.<name>"),
            SchemaField("transforms_folder", .text(), "folder of the SQL files (default transforms)"),
            SchemaField("transforms", .map(transform), "how tables are built, by table: gold.<name> or silver.<name>"),
            SchemaField("models", .list(model(learners)), "the models"),
        ])
    }

    private static let transform = ConfigSchema.object([
        SchemaField(
            "incremental",
            .object([
                SchemaField(
                    "by", .text(), required: true, "the table's event time; every source it reads must have one"),
                SchemaField("lookback", .text(), "how far back a row looks, e.g. 45 days (default: it does not)"),
                SchemaField(
                    "lookahead", .text(), "how far ahead of its own moment, e.g. 1 hour (default: it does not)"),
            ]), "build only the rows that new inputs can change")
    ])

    private static let source = ConfigSchema.object(
        [
            SchemaField("contract", .text(), "its contract (default contracts/<name>.yaml)"),
            SchemaField(
                "format", .text(allowed: SourceFormats.kinds),
                "\(SourceFormats.kinds.joined(separator: ", ")) (default csv)"),
            SchemaField("landing", .text(), "where its files arrive (default landing/<name>)"),
            SchemaField(
                "quiet", .integer(min: 0, max: 86_400), "seconds for which a landed file must be left alone (default 0)"
            ),
            SchemaField(
                "ready", .text(), "a file in the landing folder that says that the others are complete, e.g. _SUCCESS"),
        ]
            + SourceFormats.all.filter { !$0.options.isEmpty }.map { kind in
                SchemaField(kind.kind, .object(kind.options.map(field)), kind.about)
            })

    private static func field(_ option: SourceOption) -> SchemaField {
        switch option.value {
        case .text: SchemaField(option.name, .text(), option.about)
        case .flag: SchemaField(option.name, .flag, option.about)
        case .texts: SchemaField(option.name, .list(.text()), option.about)
        case .count(let most): SchemaField(option.name, .integer(min: 0, max: most), option.about)
        }
    }

    private static let share = ConfigSchema.number(min: 0, max: 1)

    private static let reach = ConfigSchema.object([
        SchemaField("same", .list(.text()), "rows that agree with the record in one of these columns"),
        SchemaField("lookback", .text(), "how far before the record, e.g. 30 days (default: what the tables say)"),
    ])

    private static let reaction = ConfigSchema.text(allowed: InputPolicy.Reaction.allCases.map(\.rawValue))

    private static let reactions = [
        SchemaField("unknown_category", reaction, "a category that training did not see (default warn)"),
        SchemaField("missing_column", reaction, "the column is not there (default reject)"),
        SchemaField("wrong_type", reaction, "a text where a number belongs, and the like (default reject)"),
        SchemaField("out_of_range", reaction, "a number outside the bounds (default warn)"),
    ]

    private static func model(_ learners: [String]?) -> ConfigSchema {
        .object([
            SchemaField("name", .text(), required: true, "the model's name in the registry"),
            SchemaField("table", .text(), required: true, "the gold table with one row per key"),
            SchemaField("key", .text(), required: true, "its unique key; orders the rows"),
            SchemaField(
                "target",
                .object([
                    SchemaField(
                        "column", .text(), required: true, "the column that is predicted; null = not known yet"),
                    SchemaField("positive", .scalar, required: true, "its value that counts as positive"),
                ]), required: true, "what is predicted"),
            SchemaField(
                "task", .text(),
                "what kind of prediction it is: \(PredictionTasks.descriptors.map(\.name).joined(separator: ", ")) (default \(PredictionTasks.standard.descriptor.name))"
            ),
            SchemaField("group", .text(), "entity that must not stand on both sides of a split"),
            SchemaField("event_time", .text(), "when the row happened"),
            SchemaField(
                "features",
                .object([
                    SchemaField("include", .list(.text()), "the only features"),
                    SchemaField("exclude", .list(.text()), "columns that are no features"),
                    SchemaField("categorical", .list(.text()), "number columns whose values are categories"),
                    SchemaField(
                        "rare_below", .integer(min: 1), "levels with fewer training rows are pooled as rare (default 1)"
                    ),
                    SchemaField(
                        "missing", .text(allowed: Signature.MissingPolicy.allCases.map(\.rawValue)), "default level"),
                ]), "which columns are features"),
            SchemaField(
                "split",
                .object([
                    SchemaField(
                        "kind", .text(allowed: SplitPlan.Kind.allCases.map(\.rawValue)), "hash, stratified or time"),
                    SchemaField("seed", .integer(), "chooses another split (default 42)"),
                    SchemaField("by", .text(), "the key or the group column"),
                    SchemaField("train", share, "share of rows (default 0.7)"),
                    SchemaField("validation", share, "share of rows (default 0.1)"),
                    SchemaField("test", share, "share of rows (default 0.2)"),
                ]), "how rows are divided"),
            SchemaField(
                "cross_validation",
                .object([
                    SchemaField("folds", .integer(min: 2, max: 100), required: true, "how many"),
                    SchemaField("seed", .integer(), "default 42"),
                    SchemaField(
                        "gap", .scalar,
                        "under a split by time, left out before a fold's test rows: a count of rows, or a length of time like 30 days"
                    ),
                ]),
                "evaluation over all labelled rows besides the test part"),
            SchemaField(
                "learner",
                .object([
                    SchemaField(
                        "kind", learners.map { .text(allowed: $0) } ?? .text(), required: true, "what fits the model"),
                    SchemaField("parameters", .map(.scalar), "by the library's own names"),
                    SchemaField(
                        "rounds", .integer(min: 1, max: 100_000), "most trees of a boosted model (default 500)"),
                    SchemaField(
                        "early_stopping", .integer(min: 0), "rounds without improvement before stopping; 0 = off"),
                    SchemaField("seed", .integer(), "of the learner's own draws (default 42)"),
                ]), required: true, "what fits the model"),
            SchemaField("calibration", .text(allowed: Calibration.Kind.allCases.map(\.rawValue)), "default none"),
            SchemaField(
                "threshold",
                .object([
                    SchemaField(
                        "cost",
                        .object([
                            SchemaField("false_negative", .number(min: 0), required: true, "cost of a miss"),
                            SchemaField("false_positive", .number(min: 0), required: true, "cost of a false alarm"),
                            SchemaField(
                                "rule", .text(allowed: ["least-cost", "theoretical"]),
                                "least cost on held-out rows (default), or what calibrated probabilities ask for"),
                        ]), "choose the threshold by cost"),
                    SchemaField("fixed", share, "a given threshold"),
                ]), "above which probability the decision is positive (default fixed 0.5)"),
            SchemaField(
                "bands",
                .object([
                    SchemaField("medium", share, required: true, "from here"),
                    SchemaField("high", share, required: true, "from here"),
                ]),
                "risk bands by probability"),
            SchemaField(
                "bootstrap",
                .object([
                    SchemaField("replicates", .integer(min: 100, max: 100_000), "default 1000"),
                    SchemaField("seed", .integer(), "default 42"),
                ]),
                "of the 95 % intervals"),
            SchemaField(
                "gates",
                .list(
                    .object([
                        SchemaField(
                            "metric", .text(allowed: PredictionTasks.metrics.map(\.rawValue)), required: true,
                            "which figure"),
                        SchemaField(
                            "part", .text(allowed: QualityGate.Part.allCases.map(\.rawValue)),
                            "test (default), validation or cv"),
                        SchemaField("at_least", .number(), "floor"),
                        SchemaField("at_most", .number(), "ceiling"),
                    ])), "what a version must reach to be registered"),
            SchemaField(
                "process",
                .object([
                    SchemaField(
                        "record", .text(), "the source whose rows are the records (default: the one with the key)"),
                    SchemaField("rows", .map(reach), "which rows of a source can matter for one record (default: all)"),
                ]), "how single records are computed from raw rows"),
            SchemaField(
                "entity", .text(), "the column that says whom a row is about; logged with predictions (default the key)"
            ),
            SchemaField(
                "input",
                .object(
                    reactions + [
                        SchemaField("unknown_column", reaction, "a column that the model does not have (default warn)"),
                        SchemaField(
                            "columns",
                            .map(
                                .object(
                                    reactions + [
                                        SchemaField("min", .number(), "smallest value (default the training rows')"),
                                        SchemaField("max", .number(), "largest value (default the training rows')"),
                                    ])), "single columns, where they differ"),
                    ]), "what becomes of rows that do not fit, when the model is served"),
            SchemaField(
                "approval", .text(allowed: ["none", "required"]),
                "whether a person must approve a version (default none)"),
        ])
    }
}
