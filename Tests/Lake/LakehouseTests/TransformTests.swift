import Core
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import TestSupport
import Testing

@Suite struct TransformTests {
    private let two = contract(column("id", .bigint), column("x", .double))

    private func order(_ transforms: (String, String)..., sources: Set<String> = ["a"]) throws -> [String] {
        let sandbox = try Sandbox()
        return try TransformPlan.order(transforms.map { try sandbox.plan($0.0, $0.1) }, sources: sources)
            .map(\.transform.table.description)
    }

    @Test func `puts parents first, otherwise by name`() throws {
        let found = try order(
            ("gold.z", "FROM silver.m"), ("gold.a", "FROM gold.z JOIN silver.n USING (id)"),
            ("silver.n", "FROM bronze.a"),
            ("silver.m", "FROM silver.n"), ("silver.b", "SELECT 1 AS one"))
        #expect(found == ["silver.b", "silver.n", "silver.m", "gold.z", "gold.a"])
    }

    @Test func `names the tables of a cycle`() throws {
        let error = refusal {
            _ = try order(("silver.x", "FROM silver.y"), ("silver.y", "FROM silver.z"), ("silver.z", "FROM silver.x"))
        }
        #expect(error?.code == "transform.cycle")
        #expect(error?.message.contains("silver.x → silver.y → silver.z → silver.x") == true)
        let itself = refusal { _ = try order(("gold.x", "FROM gold.x")) }
        #expect(itself?.message.contains("gold.x → gold.x") == true)
    }

    @Test func `names a table that is not there and suggests the nearest`() throws {
        let near = refusal { _ = try order(("silver.x", "FROM bronze.encuonters"), sources: ["encounters"]) }
        #expect(near?.code == "transform.unknown-table")
        #expect(near?.location?.file == "transforms/silver.x.sql")
        #expect(near?.remedy == "Did you mean bronze.encounters?")
        let far = refusal { _ = try order(("silver.x", "FROM gold.elsewhere")) }
        #expect(far?.remedy?.contains("bronze.a") == true)
    }

    @Test func `refuses to read upwards`() throws {
        let error = refusal { _ = try order(("silver.x", "FROM gold.y"), ("gold.y", "FROM bronze.a")) }
        #expect(error?.code == "transform.layer")
    }

    @Test func `builds only what its SQL or its inputs have changed`() throws {
        let sandbox = try Sandbox()
        try sandbox.ingest("id,x\n1,1\n2,2\n", under: two)
        let silver = "SELECT id, x FROM bronze.things"
        let other = "SELECT count(*) AS n FROM bronze.things"
        let gold = "SELECT id, x * 2 AS y FROM silver.one"
        func run(silver: String, gold: String) throws -> [Bool] {
            [
                try sandbox.build("silver.one", silver).skipped, try sandbox.build("silver.two", other).skipped,
                try sandbox.build("gold.three", gold).skipped,
            ]
        }
        #expect(try run(silver: silver, gold: gold) == [false, false, false])
        #expect(try run(silver: silver, gold: gold) == [true, true, true])
        #expect(try run(silver: silver, gold: gold + " WHERE id > 0") == [true, true, false])
        // Other SQL, same rows: what stands on it stays.
        #expect(try run(silver: silver + " WHERE true", gold: gold + " WHERE id > 0") == [false, true, true])
        #expect(try run(silver: silver + " WHERE id > 1", gold: gold + " WHERE id > 0") == [false, true, false])
        try sandbox.ingest("id,x\n3,3\n", under: two, name: "later.csv")
        #expect(try run(silver: silver + " WHERE id > 1", gold: gold + " WHERE id > 0") == [false, false, false])
        #expect(try sandbox.rows("SELECT id, y FROM gold.three ORDER BY id") == ["2|4.0", "3|6.0"])
        // Time travel shows every earlier state.
        #expect(try sandbox.rows("SELECT count(*) FROM gold.three", at: [TableName(.gold, "three"): 0]) == ["2"])
    }

    struct Mapping: Sendable, CustomTestStringConvertible {
        var sql: String
        var delta: String
        var shown: String
        var testDescription: String { sql }

        init(_ sql: String, _ delta: String, _ shown: String) {
            self.sql = sql
            self.delta = delta
            self.shown = shown
        }
    }

    @Test(arguments: [
        Mapping("1::HUGEINT", "long", "1"), Mapping("1::UBIGINT", "long", "1"), Mapping("1::UINTEGER", "long", "1"),
        Mapping("1::USMALLINT", "integer", "1"), Mapping("1::UTINYINT", "integer", "1"),
        Mapping("1::TINYINT", "byte", "1"),
        Mapping("1::SMALLINT", "short", "1"), Mapping("1::INTEGER", "integer", "1"),
        Mapping("1.5::FLOAT", "float", "1.5"),
        Mapping("1.5::DOUBLE", "double", "1.5"), Mapping("1.50::DECIMAL(9,2)", "decimal(9,2)", "1.50"),
        Mapping("1.5::DECIMAL(38,10)", "decimal(38,10)", "1.5000000000"),
        Mapping("'b'::ENUM('a', 'b')", "string", "b"), Mapping("NULL", "integer", "–"),
        Mapping("true", "boolean", "true"),
        Mapping("DATE '2024-02-29'", "date", "2024-02-29"),
        Mapping("TIMESTAMP '2024-02-29 12:30:00.25'", "timestamp_ntz", "2024-02-29 12:30:00.25"),
        Mapping("TIMESTAMP_S '2024-02-29 12:30:00'", "timestamp_ntz", "2024-02-29 12:30:00"),
        Mapping("TIMESTAMP_NS '2024-02-29 12:30:00'", "timestamp_ntz", "2024-02-29 12:30:00"),
        Mapping("TIMESTAMPTZ '2024-02-29 12:30:00+02'", "timestamp", "2024-02-29 10:30:00+00"),
        Mapping("UUID '6f9619ff-8b86-d011-b42d-00c04fc964ff'", "string", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        Mapping("'x'::BLOB", "binary", "x"), Mapping("sum(1)", "long", "1"), Mapping("count(*)", "long", "1"),
    ]) func `gives each DuckDB type its Delta type`(_ mapping: Mapping) throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT \(mapping.sql) AS v")
        let fields = try sandbox.lake.table(TableName(.silver, "t")).snapshot().metadata?.fields()
        #expect(fields?.map(\.type) == [mapping.delta])
        #expect(try sandbox.rows("SELECT v FROM silver.t") == [mapping.shown])
    }

    @Test(arguments: [
        "[1, 2]", "{'a': 1}", "MAP {'a': 1}", "INTERVAL 1 DAY", "TIME '12:00'", "'101'::BIT", "1::UHUGEINT",
    ]) func `refuses a type that a table cannot hold, by the column's name`(_ sql: String) throws {
        let sandbox = try Sandbox()
        let error = refusal { try sandbox.build("silver.t", "SELECT 1 AS fine, \(sql) AS odd") }
        #expect(error?.code == "transform.type")
        #expect(error?.message.contains("odd") == true)
        #expect(error?.location?.file == "transforms/silver.t.sql")
        #expect(try !sandbox.lake.table(TableName(.silver, "t")).exists)
    }

    @Test func `a whole number too large for its column is an error, not another number`() throws {
        let sandbox = try Sandbox()
        let error = refusal { try sandbox.build("silver.t", "SELECT 170141183460469231731687303715884105727 AS n") }
        #expect(error?.code == "sql.value")
        #expect(try !sandbox.lake.table(TableName(.silver, "t")).exists)
    }

    @Test func `refuses two columns of one name, in whatever case`() throws {
        let sandbox = try Sandbox()
        let error = refusal { try sandbox.build("silver.t", "SELECT 1 AS n, 2 AS N") }
        #expect(error?.code == "transform.repeated-column")
    }

    @Test func `a broken SELECT leaves the table as it was`() throws {
        let sandbox = try Sandbox()
        try sandbox.build("silver.t", "SELECT 1 AS n")
        let error = refusal {
            try sandbox.build("silver.t", "SELECT\n  n\nFROM (SELECT 'x' AS n) WHERE\n  CAST(n AS INT) = 1")
        }
        #expect(error?.code == "sql.value")
        let missing = refusal { try sandbox.build("silver.t", "SELECT 1 AS a,\n       nothing AS b") }
        #expect(missing?.location == .init(file: "transforms/silver.t.sql", line: 2))
        #expect(try sandbox.rows("SELECT n FROM silver.t") == ["1"])
        #expect(try sandbox.lake.table(TableName(.silver, "t")).versions() == [0])
    }

    @Test func `names with quotes, dots and commas are tables like others`() throws {
        let sandbox = try Sandbox()
        for name in ["it\"s", "a.b", "a,b", "with space", "schräg"] {
            let quoted = "silver.\"\(name.replacing("\"", with: "\"\""))\""
            try sandbox.build("silver.\(name)", "SELECT 7 AS n")
            try sandbox.build("gold.next", "SELECT n + 1 AS m FROM \(quoted)")
            #expect(try sandbox.rows("SELECT m FROM gold.next") == ["8"])
            #expect(try sandbox.rows("SELECT n FROM \(quoted)") == ["7"])
        }
    }

    @Test func `double sums and joined texts are the same for every number of threads`() throws {
        let folder = try Folder()
        let rows =
            "SELECT range AS id, range % 97 AS k, sin(range) * 1e6 AS x, 'n' || (range * 7919 % 200003) AS t FROM range(200000)"
        let sql = """
            SELECT k, sum(x) AS s, avg(x) AS m, stddev(x) AS d, string_agg(t, ',') AS all_t, first(t) AS f, corr(x, id) AS c
            FROM silver.rows GROUP BY k
            """
        var hashes: Set<String> = []
        for threads in [1, 2, 4] {
            let sandbox = try Sandbox(threads: threads, in: folder)
            try sandbox.build("silver.rows", rows)
            try sandbox.build("gold.t\(threads)", sql)
            hashes.insert(try sandbox.lake.reference(to: TableName(.gold, "t\(threads)")).hash.description)
            hashes.insert(
                try sandbox.engine.contentHash(of: try sandbox.lake.files(of: TableName(.gold, "t\(threads)")))
                    .description)
        }
        #expect(hashes.count == 1)
    }
}
