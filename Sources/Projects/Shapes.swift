internal import Lakehouse
internal import Training

/// The shapes of the files that a user writes.
package enum Shapes {
    /// A contract: `contracts/<source>.yaml`.
    package static let contract = Shape.object([
        Field("description", .text(), "what one row is"),
        Field("on_violation", .text(allowed: Contract.OnViolation.allCases.map(\.rawValue)), "what a bad row leads to"),
        Field("max_rejected", .number(min: 0, max: 1), "largest share of bad rows with which a file is still taken"),
        Field("key", .list(.text()), "columns that identify a row"),
        Field(
            "on_key_conflict", .text(allowed: Contract.OnKeyConflict.allCases.map(\.rawValue)),
            "what happens when a key comes again"),
        Field("event_time", .text(), "the column that says when the row's event happened"),
        Field("available_at", .text(), "the column that says since when the row is known (default event_time)"),
        Field("columns", .map(column), required: true, "the columns, in order"),
    ])

    private static let column = Shape.object([
        Field("type", .text(), required: true, "its type: " + ColumnType.spellings.joined(separator: ", ")),
        Field("from", .list(.text()), "header names under which files bring it"),
        Field("position", .integer(min: 1, max: 100_000), "its place in a record, from 1, whatever the header says"),
        Field("nullable", .flag, "whether it may be missing (default true)"),
        Field("optional", .flag, "whether a file may lack the column"),
        Field("min", .scalar, "smallest value"),
        Field("max", .scalar, "largest value"),
        Field("allowed", .list(.scalar), "the only values"),
        Field("pattern", .text(), "regular expression that the whole text must match"),
        Field("format", .text(), "how dates are written, e.g. \"%d-%m-%Y\""),
        Field("unit", .text(), "unit of measurement"),
        Field("missing", .list(.text()), "texts that mean missing in this column"),
        Field(
            "on_violation", .text(allowed: Contract.OnViolation.allCases.map(\.rawValue)), "overrides the contract's"),
        Field("available_at", .text(), "the column that says since when this value is known, if later than the row"),
        Field("pii", .text(allowed: ["none", "quasi", "direct"]), "how much it tells about a person"),
        Field("description", .text(), "what it is"),
    ])

    /// `martlet.yaml`.
    package static let project = Shape.object([
        Field("name", .text(), required: true, "the project's name"),
        Field("description", .text(), "what it is for"),
        Field("sources", .map(source), required: true, "where files come from; each becomes bronze.<name>"),
        Field("transforms_folder", .text(), "folder of the SQL files (default transforms)"),
        Field("transforms", .map(transform), "how tables are built, by table: gold.<name> or silver.<name>"),
        Field("models", .list(model), "the models"),
    ])

    private static let transform = Shape.object([
        Field(
            "incremental",
            .object([
                Field("by", .text(), required: true, "the table's event time; every source it reads must have one"),
                Field("lookback", .text(), "how far back a row looks, e.g. 45 days (default: it does not)"),
                Field("lookahead", .text(), "how far ahead of its own moment, e.g. 1 hour (default: it does not)"),
            ]), "build only the rows that new inputs can change")
    ])

    private static let source = Shape.object([
        Field("contract", .text(), "its contract (default contracts/<name>.yaml)"),
        Field("format", .text(allowed: SourceFormat.Kind.allCases.map(\.rawValue)), "csv or parquet (default csv)"),
        Field("landing", .text(), "where its files arrive (default landing/<name>)"),
        Field("quiet", .integer(min: 0, max: 86_400), "seconds for which a landed file must be left alone (default 0)"),
        Field("ready", .text(), "a file in the landing folder that says that the others are complete, e.g. _SUCCESS"),
        Field(
            "csv",
            .object([
                Field("delimiter", .text(), "between cells (default \",\"); blanks for runs of spaces and tabs"),
                Field("quote", .text(), "around cells (default '\"')"),
                Field("escape", .text(), "takes its meaning from the next character (default: none)"),
                Field("comment", .text(), "lines that begin with it are no records (default: none)"),
                Field("header", .flag, "whether the first line names the columns (default true)"),
                Field("encoding", .text(), "utf-8 (default), windows-1252, utf-16, or another name that iconv knows"),
                Field("decimal", .text(), "between whole and fraction of a number (default \".\")"),
                Field("thousands", .text(), "between groups of three digits (default: none)"),
                Field("missing", .list(.text()), "texts that mean missing; an empty cell always does"),
                Field("trim", .flag, "drop blanks around cells (default false)"),
                Field("skip_lines", .integer(min: 0, max: 1_000_000), "lines before the header"),
            ]), "how its CSV files are written"),
    ])

    private static let share = Shape.number(min: 0, max: 1)

    private static let reach = Shape.object([
        Field("same", .list(.text()), "rows that agree with the record in one of these columns"),
        Field("lookback", .text(), "how far before the record, e.g. 30 days (default: what the tables say)"),
    ])

    private static let reaction = Shape.text(allowed: InputPolicy.Reaction.allCases.map(\.rawValue))

    private static let reactions = [
        Field("unknown_category", reaction, "a category that training did not see (default warn)"),
        Field("missing_column", reaction, "the column is not there (default reject)"),
        Field("wrong_type", reaction, "a text where a number belongs, and the like (default reject)"),
        Field("out_of_range", reaction, "a number outside the bounds (default warn)"),
    ]

    private static let model = Shape.object([
        Field("name", .text(), required: true, "the model's name in the registry"),
        Field("table", .text(), required: true, "the gold table with one row per key"),
        Field("key", .text(), required: true, "its unique key; orders the rows"),
        Field(
            "target",
            .object([
                Field("column", .text(), required: true, "the column that is predicted; null = not known yet"),
                Field("positive", .scalar, required: true, "its value that counts as positive"),
            ]), required: true, "what is predicted"),
        Field("task", .text(), "binary_classification, the only one so far"),
        Field("group", .text(), "entity that must not stand on both sides of a split"),
        Field("event_time", .text(), "when the row happened"),
        Field(
            "features",
            .object([
                Field("include", .list(.text()), "the only features"),
                Field("exclude", .list(.text()), "columns that are no features"),
                Field("categorical", .list(.text()), "number columns whose values are categories"),
                Field("rare_below", .integer(min: 1), "levels with fewer training rows are pooled as rare (default 1)"),
                Field("missing", .text(allowed: Signature.MissingPolicy.allCases.map(\.rawValue)), "default level"),
            ]), "which columns are features"),
        Field(
            "split",
            .object([
                Field("kind", .text(allowed: SplitPlan.Kind.allCases.map(\.rawValue)), "hash, stratified or time"),
                Field("seed", .integer(), "chooses another split (default 42)"),
                Field("by", .text(), "the key or the group column"),
                Field("train", share, "share of rows (default 0.7)"),
                Field("validation", share, "share of rows (default 0.1)"),
                Field("test", share, "share of rows (default 0.2)"),
            ]), "how rows are divided"),
        Field(
            "cross_validation",
            .object([
                Field("folds", .integer(min: 2, max: 100), required: true, "how many"),
                Field("seed", .integer(), "default 42"),
                Field(
                    "gap", .scalar,
                    "under a split by time, left out before a fold's test rows: a count of rows, or a length of time like 30 days"
                ),
            ]),
            "evaluation over all labelled rows besides the test part"),
        Field(
            "learner",
            .object([
                Field("kind", .text(allowed: ["lightgbm", "random_forest"]), required: true, "what fits the model"),
                Field("parameters", .map(.scalar), "by the library's own names"),
                Field("rounds", .integer(min: 1, max: 100_000), "most trees (lightgbm; default 500)"),
                Field("early_stopping", .integer(min: 0), "rounds without improvement before stopping; 0 = off"),
                Field("seed", .integer(), "of the learner's own draws (default 42)"),
            ]), required: true, "what fits the model"),
        Field("calibration", .text(allowed: Calibration.Kind.allCases.map(\.rawValue)), "default none"),
        Field(
            "threshold",
            .object([
                Field(
                    "cost",
                    .object([
                        Field("false_negative", .number(min: 0), required: true, "cost of a miss"),
                        Field("false_positive", .number(min: 0), required: true, "cost of a false alarm"),
                        Field(
                            "rule", .text(allowed: ["least-cost", "theoretical"]),
                            "least cost on held-out rows (default), or what calibrated probabilities ask for"),
                    ]), "choose the threshold by cost"),
                Field("fixed", share, "a given threshold"),
            ]), "above which probability the decision is positive (default fixed 0.5)"),
        Field(
            "bands",
            .object([
                Field("medium", share, required: true, "from here"), Field("high", share, required: true, "from here"),
            ]),
            "risk bands by probability"),
        Field(
            "bootstrap",
            .object([
                Field("replicates", .integer(min: 100, max: 100_000), "default 1000"),
                Field("seed", .integer(), "default 42"),
            ]),
            "of the 95 % intervals"),
        Field(
            "gates",
            .list(
                .object([
                    Field("metric", .text(allowed: Metric.allCases.map(\.rawValue)), required: true, "which figure"),
                    Field(
                        "part", .text(allowed: QualityGate.Part.allCases.map(\.rawValue)),
                        "test (default), validation or cv"),
                    Field("at_least", .number(), "floor"),
                    Field("at_most", .number(), "ceiling"),
                ])), "what a version must reach to be registered"),
        Field(
            "process",
            .object([
                Field("record", .text(), "the source whose rows are the records (default: the one with the key)"),
                Field("rows", .map(reach), "which rows of a source can matter for one record (default: all)"),
            ]), "how single records are computed from raw rows"),
        Field("entity", .text(), "the column that says whom a row is about; logged with predictions (default the key)"),
        Field(
            "input",
            .object(
                reactions + [
                    Field("unknown_column", reaction, "a column that the model does not have (default warn)"),
                    Field(
                        "columns",
                        .map(
                            .object(
                                reactions + [
                                    Field("min", .number(), "smallest value (default the training rows')"),
                                    Field("max", .number(), "largest value (default the training rows')"),
                                ])), "single columns, where they differ"),
                ]), "what becomes of rows that do not fit, when the model is served"),
        Field(
            "approval", .text(allowed: ["none", "required"]), "whether a person must approve a version (default none)"),
    ])
}
