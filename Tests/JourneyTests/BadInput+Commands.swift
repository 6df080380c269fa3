extension BadInput {
    static let commands: [BadInput] = [
        BadInput("an unknown flag", ["run", "--form", "train"], exit: 64, "", "--form"),
        BadInput("an unknown command", ["fly"], exit: 64, "usage.command", "fly"),
        BadInput("an unknown stage", ["run", "--from", "trian"], exit: 64, "", "trian"),
        BadInput("a flag without its value", ["run", "--split-seed"], exit: 64, "", "--split-seed"),
        BadInput("no thread at all", ["run", "--engine-threads", "0"], exit: 64, "", "1024"),
        BadInput("an argument too few", ["models", "show"], exit: 64, "", "model"),
        BadInput(
            "an unknown template", ["init", "new", "--template", "readmision"], exit: 64, "init.template",
            "Did you mean readmission?"),
        BadInput(
            "a folder that is there already", ["init", "landing", "--template", "blank"], "init.exists", "landing"),
        BadInput("a project name with a blank", ["init", "a b"], exit: 64, "init.name"),
        BadInput(
            "data that is not there", ["init", "new", "--template", "blank", "--data", "no.csv"], "file.missing",
            "no.csv"),
        BadInput(
            "an unknown generator", ["generate", "down-time", "-o", "x.csv"], exit: 64, "generate.kind",
            "Did you mean downtime?"),
        BadInput("no rows to generate", ["generate", "downtime", "--rows", "0"], exit: 64, "", "--rows"),
        BadInput(
            "a generator's file that is there", ["generate", "downtime", "-o", "martlet.yaml"], "generate.exists",
            "martlet.yaml"),
        BadInput("a model reference of no form", ["models", "show", "stay@"], exit: 64, "registry.bad-reference"),
        BadInput(
            "a misspelt alias", ["models", "show", "stay@champoin"], exit: 64, "registry.bad-reference", "stay@champion"
        ),
        BadInput(
            "a version of no number", ["verify", "stay@99999999999999999999"], exit: 64, "registry.bad-reference"),
        BadInput("an unknown version", ["models", "show", "stay@7"], "registry.unknown-version", "7"),
        BadInput("an unknown model", ["models", "show", "stya"], "registry.unknown-model", "stay"),
        BadInput(
            "an unknown model to score with", ["predict", "landing/visits/later.csv", "--model", "go"],
            "registry.unknown-model"),
        BadInput("an alias that nobody has", ["models", "show", "stay@candidate"], "registry.unknown-alias"),
        BadInput("an unknown run", ["runs", "show", "ffffffff"], "registry.unknown-run", "ffffffff"),
        BadInput("a run of no form", ["runs", "show", "'; DROP TABLE runs; --"], "registry.unknown-run"),
        BadInput("one run to compare", ["runs", "compare", "ffff"], exit: 64, "", "two"),
        BadInput(
            "an unknown artifact", ["runs", "artifact", "0", "model.pkl", "-o", "x"], "artifact.missing", "model.txt"),
        BadInput("an unknown table", ["lake", "show", "gold.visit"], "lake.no-table", "gold.visit"),
        BadInput("a table's name of no form", ["lake", "history", "visits"], exit: 64, "lake.table-name", "gold."),
        BadInput(
            "a table's name that climbs out", ["lake", "history", "gold.../../silver/visits"], exit: 64,
            "lake.table-name"),
        BadInput(
            "a version that a table has not", ["lake", "show", "gold.visits", "--version", "9"], "lake.no-version", "9"),
        BadInput("a query that writes", ["lake", "sql", "DELETE FROM gold.visits"], "transform.not-select"),
        BadInput(
            "a query of files outside", ["lake", "sql", "SELECT * FROM read_text('martlet.yaml')"],
            "transform.reads-outside"),
        BadInput("a query that cannot be", ["lake", "sql", "SELECT wieght FROM gold.visits"], "sql.invalid", "weight"),
        BadInput(
            "a query that divides text", ["lake", "sql", "SELECT CAST(ward AS INTEGER) FROM gold.visits"], "sql.value",
            "SQL"),
        BadInput("an unknown schema", ["schema", "contracts"], exit: 64, "schema.what"),
        BadInput(
            "an output of unknown form", ["predict", "landing/visits/later.csv", "-o", "x.txt"], exit: 64, "",
            ".parquet"),
        BadInput("an approval that is not needed", ["models", "approve", "stay@1"], "registry.no-approval-needed"),
        BadInput(
            "a rollback with nothing before", ["models", "rollback", "stay"], exit: 2, "registry.no-earlier-champion"),
    ]
}
