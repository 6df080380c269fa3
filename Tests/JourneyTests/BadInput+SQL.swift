extension BadInput {
    private static let columns = "visit_id, ward, weight, readings, note, outcome"

    static let transforms: [BadInput] = [
        sql(
            "SQL that is no SQL", silver: "SELECT\n  visit_id\nFORM bronze.visits", "sql.invalid",
            "silver/visits.sql:3", "syntax"),
        sql("an unknown column", gold: "SELECT visit_idd FROM silver.visits", "sql.invalid", "visit_idd", "visit_id"),
        sql(
            "an unknown table", gold: "SELECT * FROM silver.visit", "transform.unknown-table",
            "Did you mean silver.visits?"),
        sql(
            "an unknown source", silver: "SELECT * FROM bronze.vists", "transform.unknown-table",
            "Did you mean bronze.visits?"),
        sql("an unknown layer", silver: "SELECT * FROM brass.visits", "transform.unknown-layer", "brass"),
        sql("a table without its layer", silver: "SELECT * FROM visits", "transform.no-layer", "bronze.visits"),
        sql(
            "a table that reads itself", gold: "SELECT * FROM gold.visits", "transform.cycle",
            "gold.visits → gold.visits"),
        BadInput("tables that read each other", "transform.cycle", "gold.a → gold.b → gold.a") {
            try $0.write("transforms/gold/a.sql", "SELECT * FROM gold.b")
            try $0.write("transforms/gold/b.sql", "SELECT * FROM gold.a")
        },
        sql("silver that reads gold", silver: "SELECT * FROM gold.visits", "transform.layer", "bronze → silver → gold"),
        sql("two statements", gold: "SELECT 1; SELECT 2", "transform.many-statements", "2 statements"),
        sql("INSERT", gold: "INSERT INTO silver.visits SELECT * FROM bronze.visits", "transform.not-select", "SELECT"),
        sql("CREATE TABLE", gold: "CREATE TABLE x AS SELECT 1", "transform.not-select", "SELECT"),
        sql("COPY to a file", gold: "COPY (SELECT 1) TO 'stolen.csv'", "transform.not-select"),
        sql("PRAGMA", gold: "PRAGMA database_list", "transform.not-select"),
        sql("an empty file", gold: "", "transform.empty"),
        sql("a file of comments", gold: "-- nothing yet\n", "transform.empty"),
        sql(
            "random()", gold: "SELECT \(columns), random() AS r FROM silver.visits", "transform.unrepeatable", "random"),
        sql("now()", gold: "SELECT \(columns), now() AS r FROM silver.visits", "transform.unrepeatable", "now"),
        sql(
            "current_date", gold: "SELECT \(columns), current_date AS r FROM silver.visits", "transform.unrepeatable",
            "current_date"),
        sql(
            "a sample", gold: "SELECT \(columns) FROM silver.visits USING SAMPLE 10", "transform.unrepeatable", "sample"
        ),
        sql(
            "read_csv of a file outside", gold: "SELECT * FROM read_csv('landing/visits/first.csv')",
            "transform.reads-outside", "read_csv"),
        sql(
            "a file's name in place of a table", gold: "SELECT * FROM 'landing/visits/first.csv'", "transform.no-layer"),
        sql(
            "read_text inside an expression",
            gold: "SELECT \(columns), (SELECT content FROM read_text('/etc/hostname')) AS c FROM silver.visits",
            "transform.reads-outside", "read_text"),
        sql(
            "a table's name that climbs out of the lake", gold: "SELECT * FROM gold.\"../silver/visits\"",
            "transform.unknown-table"),
        sql(
            "getenv", gold: "SELECT \(columns), getenv('HOME') AS home FROM silver.visits", "transform.unrepeatable",
            "getenv"),
        sql(
            "a value that does not fit",
            gold: "SELECT CAST(ward AS INTEGER) AS w, visit_id, outcome FROM silver.visits",
            "sql.value", "north"),
        sql(
            "a column named twice", gold: "SELECT \(columns), weight AS Ward FROM silver.visits",
            "transform.repeated-column", "Ward"),
        sql(
            "a type that no table holds", gold: "SELECT \(columns), [1, 2] AS list FROM silver.visits",
            "transform.type", "list"),
        sql(
            "a column that no model learns from", gold: "SELECT \(columns), seen_at FROM silver.visits",
            "model.feature-type", "seen_at"),
        sql(
            "a null key",
            gold: "SELECT nullif(visit_id, 5) AS visit_id, ward, weight, note, outcome FROM silver.visits",
            "model.null-key", "visit_id"),
        sql(
            "a repeated key", gold: "SELECT visit_id // 2 AS visit_id, ward, weight, note, outcome FROM silver.visits",
            "training.duplicate-key", "twice"),
        sql(
            "one class only", gold: "SELECT \(columns.dropLast(9)), 'yes' AS outcome FROM silver.visits",
            "training.single-class", "640 are positive"),
        sql(
            "no label at all", gold: "SELECT \(columns.dropLast(9)), CAST(NULL AS TEXT) AS outcome FROM silver.visits",
            "training.single-class", "0 labelled rows"),
        sql(
            "no row at all", gold: "SELECT \(columns) FROM silver.visits WHERE false", "training.single-class",
            "0 labelled rows"),
        sql("nothing to learn from", gold: "SELECT visit_id, note, outcome FROM silver.visits", "model.no-features"),
    ]
}
