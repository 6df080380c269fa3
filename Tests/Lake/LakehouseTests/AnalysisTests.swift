import Core
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import Testing

@Suite struct AnalysisTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var sql: String
        var tables: [String]
        var testDescription: String { sql }

        init(_ sql: String, _ tables: String...) {
            self.sql = sql
            self.tables = tables
        }
    }

    static let cases: [Case] = [
        Case("SELECT 1"),
        Case("SELECT * FROM bronze.a", "bronze.a"),
        Case("FROM bronze.a", "bronze.a"),
        Case("select * from BRONZE.A where x in (select y from Silver.\"B\")", "bronze.a", "silver.b"),
        Case("SELECT * FROM bronze.a, bronze.b JOIN silver.c USING (id)", "bronze.a", "bronze.b", "silver.c"),
        // Names of common table expressions
        Case("WITH a AS (SELECT * FROM bronze.b) SELECT * FROM a", "bronze.b"),
        Case("WITH a AS (SELECT * FROM bronze.a) SELECT * FROM a JOIN bronze.a AS x USING (id)", "bronze.a"),
        Case(
            "WITH a AS (WITH b AS (SELECT * FROM bronze.inner_one) SELECT * FROM b), c AS (SELECT * FROM a) SELECT * FROM c",
            "bronze.inner_one"),
        Case("WITH A AS (SELECT * FROM bronze.b) SELECT * FROM \"a\"", "bronze.b"),
        Case("WITH a AS MATERIALIZED (SELECT * FROM bronze.b) SELECT * FROM a", "bronze.b"),
        Case(
            "SELECT (WITH a AS (SELECT max(x) AS x FROM bronze.b) SELECT x FROM a) FROM bronze.c", "bronze.b",
            "bronze.c"),
        Case(
            "WITH RECURSIVE t(n) AS (SELECT min(id) FROM bronze.a UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT * FROM t",
            "bronze.a"),
        Case(
            "WITH RECURSIVE t AS (SELECT id FROM bronze.a UNION SELECT b.id FROM t JOIN bronze.b AS b ON b.up = t.id) FROM t",
            "bronze.a", "bronze.b"),
        // Names that need quotes
        Case("SELECT * FROM bronze.\"with space\"", "bronze.with space"),
        Case("SELECT * FROM bronze.\"a.b\", bronze.\"a,b\"", "bronze.a,b", "bronze.a.b"),
        Case("SELECT * FROM bronze.\"x FROM silver.y\"", "bronze.x from silver.y"),
        Case("SELECT * FROM bronze.\"it\"\"s\"", "bronze.it\"s"),
        // What only looks like a table
        Case("SELECT 'FROM silver.b' AS note, \"FROM silver.c\" FROM bronze.a", "bronze.a"),
        Case("SELECT * FROM bronze.a -- JOIN silver.b\n/* , silver.c */ WHERE x = 'it''s FROM silver.d'", "bronze.a"),
        Case("SELECT $$ FROM silver.b $$ FROM bronze.a", "bronze.a"),
        Case("SELECT extract(year FROM day), trim(BOTH ' ' FROM name) FROM bronze.a", "bronze.a"),
        Case("SELECT a.silver.b FROM bronze.a AS a", "bronze.a"),
        // Subqueries anywhere
        Case("SELECT (SELECT max(x) FROM silver.b) AS top FROM bronze.a", "bronze.a", "silver.b"),
        Case("SELECT * FROM bronze.a WHERE EXISTS (SELECT 1 FROM silver.b WHERE b.id = a.id)", "bronze.a", "silver.b"),
        Case("SELECT * FROM (SELECT * FROM (SELECT * FROM bronze.deep))", "bronze.deep"),
        Case("SELECT * FROM bronze.a, LATERAL (SELECT * FROM silver.b WHERE b.id = a.id)", "bronze.a", "silver.b"),
        Case(
            "SELECT count(*) FROM bronze.a GROUP BY x HAVING count(*) > (SELECT min(n) FROM silver.b)", "bronze.a",
            "silver.b"),
        Case("SELECT x FROM bronze.a ORDER BY (SELECT max(y) FROM silver.b)", "bronze.a", "silver.b"),
        Case("SELECT CASE WHEN x > ALL (SELECT y FROM silver.b) THEN 1 END FROM bronze.a", "bronze.a", "silver.b"),
        Case(
            "SELECT * FROM bronze.a AS a JOIN bronze.c AS c ON a.id = (SELECT max(id) FROM silver.b)", "bronze.a",
            "bronze.c", "silver.b"),
        // Set operations and other ways to read
        Case(
            "SELECT id FROM bronze.a UNION ALL SELECT id FROM bronze.b EXCEPT SELECT id FROM silver.c", "bronze.a",
            "bronze.b", "silver.c"),
        Case("PIVOT bronze.a ON kind IN ('x', 'y') USING sum(n)", "bronze.a"),
        Case("SELECT * FROM (PIVOT bronze.a ON kind IN ('x', 'y') USING sum(n) GROUP BY id)", "bronze.a"),
        Case("UNPIVOT bronze.a ON p, q INTO NAME k VALUE v", "bronze.a"),
        Case("SELECT * FROM (VALUES (1), (2)) AS v(x) JOIN bronze.a USING (x)", "bronze.a"),
        Case("VALUES (1), (2)"),
        Case("SELECT * FROM range(10) AS r(i), bronze.a, unnest([1, 2]) AS u(x)", "bronze.a"),
        Case("SELECT * FROM bronze.a ASOF JOIN bronze.b ON a.at >= b.at", "bronze.a", "bronze.b"),
        Case(
            "SELECT * FROM bronze.a SEMI JOIN bronze.b USING (id) ANTI JOIN silver.c USING (id)", "bronze.a",
            "bronze.b", "silver.c"),
        Case("TABLE bronze.a", "bronze.a"),
        Case(
            "SELECT sum(x) OVER w FROM bronze.a WINDOW w AS (ORDER BY y) QUALIFY row_number() OVER w = 1;", "bronze.a"),
        // Semicolons that end nothing.
        Case(#"SELECT E'a\';b' AS t, e'\\' AS u FROM bronze.a;"#, "bronze.a"),
        Case("SELECT $t$;$t$ AS t, $$;$$ AS u FROM bronze.a;", "bronze.a"),
        Case("/* a /* b */ ; */ SELECT x FROM bronze.a -- ; no end\n;", "bronze.a"),
        Case("SELECT ';' AS note, 'it''s;' AS \"a;b\" FROM bronze.a;", "bronze.a"),
    ]

    @Test(arguments: cases) func `finds the tables that a SELECT reads`(_ example: Case) throws {
        let analysis = try Sandbox().engine.parse(example.sql, file: "x.sql").analysis()
        #expect(analysis.tables.map(\.description) == example.tables)
    }

    struct Refused: CustomTestStringConvertible, Sendable {
        var sql: String
        var code: String
        var names: String
        var testDescription: String { sql }

        init(_ sql: String, _ code: String, _ names: String = "") {
            self.sql = sql
            self.code = code
            self.names = names
        }
    }

    static let refused: [Refused] = [
        Refused("", "transform.empty"),
        Refused("-- nothing\n", "transform.empty"),
        Refused("SELECT 1; SELECT 2", "transform.many-statements", "2"),
        Refused("CREATE TABLE x AS SELECT 1", "transform.not-select"),
        Refused("DELETE FROM bronze.a", "transform.not-select"),
        Refused("COPY bronze.a TO 'x.csv'", "transform.not-select"),
        Refused("ATTACH 'x.db'", "transform.not-select"),
        Refused("SELECT * FROM encounters", "transform.no-layer", "encounters"),
        Refused("WITH a AS (SELECT 1) SELECT * FROM b", "transform.no-layer", "b"),
        // The inner name is gone outside of its parentheses.
        Refused("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a), a", "transform.no-layer", "a"),
        Refused("SELECT * FROM iron.a", "transform.unknown-layer", "iron"),
        Refused("SELECT * FROM 'x.csv'", "transform.no-layer", "x.csv"),
        Refused("SELECT * FROM read_csv('x.csv')", "transform.reads-outside", "read_csv"),
        Refused("SELECT * FROM bronze.a, read_parquet('x')", "transform.reads-outside", "read_parquet"),
        Refused("SELECT * FROM query('SELECT 1')", "transform.reads-outside", "query"),
        Refused("SELECT random() FROM bronze.a", "transform.unrepeatable", "random"),
        Refused("SELECT now()", "transform.unrepeatable", "now"),
        Refused("SELECT current_date", "transform.unrepeatable", "current_date"),
        Refused("SELECT x FROM bronze.a WHERE d < TODAY()", "transform.unrepeatable", "today"),
        Refused("SELECT age(born) FROM bronze.a", "transform.unrepeatable", "age"),
        Refused("SELECT ago(INTERVAL 1 DAY) FROM bronze.a", "transform.unrepeatable", "ago"),
        Refused("SELECT current_query_id() FROM bronze.a", "transform.unrepeatable", "current_query_id"),
        Refused("SELECT getvariable('x') FROM bronze.a", "transform.unrepeatable", "getvariable"),
        Refused("SELECT * FROM bronze.a USING SAMPLE 10", "transform.unrepeatable", "sample"),
        Refused("SELECT * FROM bronze.a TABLESAMPLE 10%", "transform.unrepeatable", "sample"),
        Refused("SELECT * FROM (SHOW TABLES)", "transform.reads-outside"),
    ]

    @Test(arguments: refused) func `refuses what is not one repeatable SELECT over tables`(_ example: Refused) throws {
        let sandbox = try Sandbox()
        let error = refusal { _ = try sandbox.engine.parse(example.sql, file: "x.sql").analysis() }
        #expect(error?.code == example.code)
        #expect(error?.location?.file == "x.sql")
        #expect(error?.message.lowercased().contains(example.names) == true)
        #expect(error?.exitCode == 1)
    }

    @Test func `gives the line of a syntax error`() throws {
        let sandbox = try Sandbox()
        let error = refusal {
            _ = try sandbox.engine.parse("SELECT 1 AS a,\n  2 AS b\nFORM bronze.a x y", file: "x.sql").analysis()
        }
        #expect(error?.location?.line == 3)
        #expect(error?.code == "sql.invalid")
    }

    @Test(arguments: [
        "SELECT sum(x) FROM bronze.a", "SELECT string_agg(x, ',') FROM bronze.a", "SELECT list(x) FROM bronze.a",
        "SELECT row_number() OVER () FROM bronze.a", "SELECT x FROM bronze.a LIMIT 3",
        "SELECT DISTINCT ON (k) * FROM bronze.a",
        "SELECT * FROM (SELECT AVG(x) AS m FROM bronze.a)", "SELECT first(x) FROM bronze.a",
        "SELECT arg_max(x, y) FROM bronze.a",
        "SELECT json_group_array(x) FROM bronze.a", "SELECT wavg(x, y) FROM bronze.a",
        "SELECT arg_min_null(x, y) FROM bronze.a",
        "SELECT histogram_exact(x, [1, 2]) FROM bronze.a", "SELECT favg(x) FROM bronze.a",
        "PIVOT bronze.a ON kind IN ('x') USING sum(n)", "SELECT * FROM bronze.a POSITIONAL JOIN bronze.b",
        "SELECT * FROM bronze.a ASOF JOIN bronze.b ON a.at >= b.at",
    ]) func `knows results that depend on the order of rows`(_ sql: String) throws {
        #expect(try Sandbox().engine.parse(sql, file: "x.sql").analysis().orderSensitive)
    }

    @Test(arguments: [
        "SELECT x + 1 FROM bronze.a", "SELECT median(x), bool_and(y), bit_xor(z) FROM bronze.a",
        "SELECT count(*), min(x), max(x) FROM bronze.a GROUP BY k",
        "SELECT a.x FROM bronze.a AS a JOIN bronze.b AS b USING (id) WHERE a.x > 1 ORDER BY a.x",
    ]) func `knows results that do not depend on the order of rows`(_ sql: String) throws {
        #expect(try Sandbox().engine.parse(sql, file: "x.sql").analysis().orderSensitive == false)
    }

    @Test func `a column may be called like a clock`() throws {
        let sql = "SELECT \"today\" FROM (SELECT day AS today FROM bronze.a) AS t"
        #expect(try Sandbox().engine.parse(sql, file: "x.sql").analysis().tables.map(\.description) == ["bronze.a"])
    }
}
