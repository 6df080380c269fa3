internal import Core
internal import Lakehouse
package import Projects
internal import SQLLineage

// What the features of a moment would have been at that moment. Reading SQL can be deceived, by the SQL or by the
// reader; this cannot: the sources are cut to what was known then, the transforms run on the cut, and the features of
// the rows of that moment must be those that stand in the table.

/// Result of recomputing features as of past moments: how many rows, and which features differ.
package struct PastReport: Sendable, Encodable {
    /// A feature whose recomputed values differ at a moment.
    package struct Difference: Sendable, Encodable {
        /// Time of prediction of the rows, as in `PastReport.moments`.
        package var moment: String
        /// Column of the feature; "(the row itself)" for rows that do not exist when recomputed.
        package var feature: String
        /// Number of rows of that moment whose value differs.
        package var rows: Int
        /// Smallest key among the rows that differ, as text; `with` and `without` are of this row.
        package var key: String?
        /// Value of the row `key` in the table, computed with later data, as text; `nil` for null.
        package var with: String?
        /// Value of the row `key` computed with the data of that moment only, as text; `nil` for null.
        package var without: String?
    }

    /// Name of the model whose table is recomputed, as in martlet.yaml.
    package var model: String
    /// Times of prediction that were recomputed, ascending, as the SQL engine writes them.
    package var moments: [String] = []
    /// Number of rows of these moments in the table, which were compared.
    package var rows = 0
    /// Number of feature columns compared in each row.
    package var features = 0
    /// Features that differ, by moment; empty when the table uses no later data.
    package var differences: [Difference] = []

    /// Whether nothing differs.
    package var equal: Bool { differences.isEmpty }
}

extension Workspace {
    /// Recomputes a model's table as of `count` past moments, spread evenly over its rows, and compares.
    package func replay(_ model: Project.Model, moments count: Int, progress: (String) -> Void) throws -> PastReport {
        let planned = try plannedTransforms()
        let (bronze, built) = ancestry(of: model.table, in: planned)
        guard let check = leakCheck(model, try lineage(planned)), let moment = check.momentName else {
            throw MartletError(
                .input, "replay.no-time", "The rows of \(model.table) have no moment at which they are predicted.",
                at: .init(file: "martlet.yaml", key: "models.\(model.name)"),
                remedy: "Give the model event_time:, and event_time: to the contracts.")
        }
        let engine = lake.engine
        let gold = try lake.files(of: model.table)
        let table = "\(model.table.layer.rawValue).\(quoted(model.table.name))"
        let fields = try engine.describe(Query("SELECT * FROM \(table)", inputs: [model.table: gold]))
        let known = Set(check.features().map { $0.name.lowercased() })
        let features = fields.filter { known.contains($0.name.lowercased()) }
        var report = PastReport(model: model.name)
        report.features = features.count
        let time = quoted(moment)
        let found = try engine.texts(
            Query(
                """
                SELECT CAST(t AS VARCHAR) FROM (
                    SELECT t, row_number() OVER (ORDER BY t) AS i, count(*) OVER () AS n
                    FROM (SELECT DISTINCT \(time) AS t FROM \(table) WHERE \(time) IS NOT NULL)
                ) WHERE i IN (SELECT CAST(ceil(n * (s - 0.5) / \(count)) AS BIGINT) FROM range(1, \(count + 1)) AS r(s))
                ORDER BY t
                """, inputs: [model.table: gold]), limit: nil)
        for text in found.rows.compactMap({ $0[0] }) {
            progress(text)
            report.moments.append(text)
            try withScratch { folder in
                var files: [TableName: [String]] = [:]
                for name in bronze {
                    guard let source = project.source(name.name) else { continue }
                    let cut = Query(
                        source.contract.knownThen(text, in: "\(name.layer.rawValue).\(quoted(name.name))"),
                        inputs: [name: try lake.files(of: name)])
                    files[name] = [try engine.materialise(cut, into: "\(folder)/\(name).parquet").path]
                }
                for item in built {
                    let inputs = files.filter { item.analysis.tables.contains($0.key) }
                    let query = item.transform.query(over: inputs, inRowOrder: item.analysis.orderSensitive)
                    let name = item.transform.table
                    files[name] = [try engine.materialise(query, into: "\(folder)/\(name).parquet").path]
                }
                let then = TableName(.quarantine, "as_known_then")
                let inputs = [model.table: gold, then: files[model.table] ?? []]
                let rows = try engine.texts(
                    Query(
                        "SELECT CAST(count(*) AS VARCHAR) FROM \(table) WHERE \(time) = '\(text)'",
                        inputs: [model.table: gold]),
                    limit: nil)
                report.rows += rows.rows.first?.first?.flatMap { Int($0) } ?? 0
                let same = Query(Self.comparison(model, features, table, moment: moment, at: text), inputs: inputs)
                for row in try engine.texts(same, limit: nil).rows {
                    report.differences.append(
                        .init(
                            moment: text, feature: row[0] ?? "", rows: row[1].flatMap { Int($0) } ?? 0, key: row[2],
                            with: row[3], without: row[4]))
                }
            }
        }
        return report
    }

    private static func comparison(
        _ model: Project.Model, _ features: [DeltaField], _ table: String, moment: String, at text: String
    ) -> String {
        let key = quoted(model.key)
        let parts = features.map { field -> String in
            let name = quoted(field.name)
            let isBroken = ["double", "float"].contains(field.type)
            let differs =
                isBroken
                // The last bits of a sum depend on how it was cut into parts.
                ? "(g.\(name) IS DISTINCT FROM t.\(name) AND NOT coalesce(abs(g.\(name) - t.\(name)) <= 1e-9 * greatest(abs(g.\(name)), abs(t.\(name))), false))"
                : "g.\(name) IS DISTINCT FROM t.\(name)"
            return """
                SELECT '\(field.name.replacing("'", with: "''"))' AS feature, CAST(count(*) AS VARCHAR) AS rows, \
                CAST(min(g.\(key)) AS VARCHAR) AS key, CAST(arg_min(struct_pack(v := g.\(name)), g.\(key)).v AS VARCHAR) AS "with", \
                CAST(arg_min(struct_pack(v := t.\(name)), g.\(key)).v AS VARCHAR) AS "without" \
                FROM g LEFT JOIN t USING (\(key)) WHERE \(differs) HAVING count(*) > 0
                """
        }
        let missing = """
            SELECT '(the row itself)', CAST(count(*) AS VARCHAR), CAST(min(g.\(key)) AS VARCHAR), 'there', 'not there' \
            FROM g ANTI JOIN t USING (\(key)) HAVING count(*) > 0
            """
        let gold = "SELECT * FROM \(table) WHERE \(quoted(moment)) = '\(text)'"
        let then = "SELECT * FROM quarantine.as_known_then WHERE \(quoted(moment)) = '\(text)'"
        return "WITH g AS (\(gold)), t AS (\(then)) " + (parts + [missing]).joined(separator: " UNION ALL ")
    }
}

private func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }
