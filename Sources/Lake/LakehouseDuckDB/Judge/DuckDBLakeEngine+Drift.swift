internal import Core
internal import DuckDB
package import Lakehouse
internal import SourceFormats

// How a file differs from its contract in form: names, types, units, delimiter, encoding. Looked at only when
// something is wrong with a file, on its first rows, against the contract and the table's latest rows.

extension DuckDBLakeEngine {
    /// Compares a file's schema with its contract and the table so far.
    package func drift(_ request: DriftRequest) throws -> [SchemaDrift] {
        defer { _ = try? connection.execute("DROP TABLE IF EXISTS sampled; DROP TABLE IF EXISTS history") }
        do { return try examine(request) } catch let error where Self.isOfFile(error) {
            // What cannot even be sampled has been refused for a reason of its own.
            return []
        }
    }

    /// Whether what a file holds is to blame.
    private static func isOfFile(_ error: any Error) -> Bool {
        error is DuckDBError || error is FileRefusal || (error as? MartletError)?.code == "file.damaged"
    }

    private func examine(_ request: DriftRequest) throws -> [SchemaDrift] {
        var format = request.format
        var drifts: [SchemaDrift] = []
        let header: [String]
        let kind = try SourceFormats.find(format.kind)
        if format.kind == "csv" {
            let form = try CSVForm(request.path, format, request.contract)
            drifts += form.drifts
            format = form.format
            let reader = try? CSVReader(request.path, format, target: 1 << 20)
            guard form.isReadable, let names = reader?.header, !names.isEmpty else {
                return drifts
            }
            header = format.header ? names : request.contract.columns.prefix(names.count).map { $0.headerNames[0] }
            guard header.count == names.count else { return drifts }
        } else if case .records(let open) = kind.reading {
            header = try open(request.path, format, 1 << 20).header ?? []
        } else {
            header = try describeTypes("SELECT * FROM \(Quote.parquet([request.path]))").map(\.name)
        }
        guard Set(header).count == header.count else { return drifts }
        var names = HeaderDrift(request.contract, header)
        try sample(request.path, format, header.count)
        let history = try history(request)
        var evidence: [String: String] = [:]
        try pairByValues(&names, request, format, history, &evidence)
        var units: Set<String> = []
        for column in request.contract.columns {
            guard let place = names.cells[column.name] else { continue }
            let profile = try profile(column, "c\(place)", format)
            if let drift = try retyped(column, profile, header[place], request, format, "c\(place)") {
                drifts.append(drift)
            } else if let drift = try shifted(
                column, profile, header[place], request.contract, history.contains(column.name))
            {
                units.insert(column.name)
                drifts.append(drift)
            }
        }
        return drifts + names.drifts(units: units, evidence: evidence)
    }

    // MARK: Samples

    private func sample(_ path: String, _ format: SourceFormat, _ count: Int) throws {
        let cells = (0..<count).map { "c\($0)" }
        let source: String
        if case .records(let open) = try SourceFormats.find(format.kind).reading {
            let reader = try open(path, format, 1 << 20)
            let texts = StagedTexts(cells: count) { try reader.next().map { (0, $0) } }
            return try textTables.with(texts, as: textTable) {
                try connection.execute(
                    """
                    CREATE OR REPLACE TEMP TABLE sampled AS SELECT \(cells.joined(separator: ", "))
                    FROM _martlet_texts(\(Quote.text(textTable))) WHERE broken IS NULL LIMIT 5000
                    """)
            }
        }
        let columns = try describeTypes("SELECT * FROM \(Quote.parquet([path]))")
        let texts = zip(cells, columns).map { "CAST(\(Quote.name($1.name)) AS VARCHAR) AS \($0)" }
        source = "SELECT \(texts.joined(separator: ", ")) FROM \(Quote.parquet([path]))"
        try connection.execute("CREATE OR REPLACE TEMP TABLE sampled AS \(source) LIMIT 5000")
    }

    /// The latest rows of the table as `history`; the names of its columns.
    func history(_ request: DriftRequest) throws -> Set<String> {
        let latest = request.existing.suffix(3)
        guard !latest.isEmpty else { return [] }
        let parts = latest.reversed().map { "(SELECT * FROM \(Quote.parquet([$0])) LIMIT 20000)" }
        try connection.execute(
            "CREATE OR REPLACE TEMP TABLE history AS SELECT * FROM (\(parts.joined(separator: " UNION ALL BY NAME "))) LIMIT 20000"
        )
        return Set(try describeTypes("SELECT * FROM history").map(\.name))
    }

    /// Statistics of a contract column's cells in the sample.
    struct Profile {
        /// SQL of a cell without blanks and missing texts.
        var cell: String
        var rows = 0
        /// Cells that can be of the type.
        var typed = 0
        /// 10, 25, 50, 75 and 90 % quantiles of numbers.
        var quantiles: [Double] = []
    }

    private func profile(_ column: Contract.Column, _ cell: String, _ format: SourceFormat) throws -> Profile {
        let missing = ([""] + format.missing + column.missing).map { Quote.text($0) }.joined(separator: ", ")
        let text = format.trim ? "trim(\(cell), E' \\t\\r\\n')" : cell
        let numbers = NumberForm(format)
        let plain = numbers.plain("CASE WHEN \(text) NOT IN (\(missing)) THEN \(text) END", column.type)
        // What is no number in the source's form is shown as it stands.
        var profile = Profile(
            cell: numbers.isPlain ? plain : "coalesce(\(plain), CASE WHEN \(text) NOT IN (\(missing)) THEN \(text) END)"
        )
        let value = typed(column)
        let row =
            try connection.query(
                "SELECT count(x)::VARCHAR, count(\(value))::VARCHAR FROM (SELECT \(profile.cell) AS x FROM sampled)"
            ).texts().first ?? []
        profile.rows = row.first?.flatMap { Int($0) } ?? 0
        profile.typed = row.last?.flatMap { Int($0) } ?? 0
        if isNumber(column.type), profile.typed > 0 {
            profile.quantiles = try quantiles("SELECT TRY_CAST(\(profile.cell) AS DOUBLE) AS x FROM sampled")
        }
        return profile
    }

    func isNumber(_ type: ColumnType) -> Bool {
        switch type {
        case .bigint, .integer, .double, .decimal: true
        default: false
        }
    }

    private func typed(_ column: Contract.Column) -> String {
        switch column.type {
        case .text: "x"
        case .double, .decimal: "TRY_CAST(x AS DOUBLE)"
        case .bigint, .integer: "CASE WHEN regexp_full_match(x, '[+-]?[0-9]+([.]0*)?') THEN 1 END"
        case .boolean: "TRY_CAST(x AS BOOLEAN)"
        case .date: column.format.map { "try_strptime(x, \(Quote.text($0)))" } ?? "TRY_CAST(x AS DATE)"
        case .timestamp: column.format.map { "try_strptime(x, \(Quote.text($0)))" } ?? "TRY_CAST(x AS TIMESTAMPTZ)"
        }
    }

    func quantiles(_ select: String) throws -> [Double] {
        let row =
            try connection.query(
                """
                SELECT \([0.1, 0.25, 0.5, 0.75, 0.9].map { "quantile_cont(x, \($0))::VARCHAR" }.joined(separator: ", "))
                FROM (\(select)) WHERE isfinite(x)
                """
            ).texts().first ?? []
        return row.compactMap { $0.flatMap { Double($0) } }
    }

    // MARK: Types

    private func retyped(
        _ column: Contract.Column, _ profile: Profile, _ name: String, _ request: DriftRequest, _ format: SourceFormat,
        _ cell: String
    ) throws -> SchemaDrift? {
        guard profile.rows > 0 else { return nil }
        let line = request.contract.place(of: column.name)
        let bad = profile.rows - profile.typed
        guard bad * 2 > profile.rows else { return try recoded(column, profile, line) }
        let share = percent(bad, profile.rows)
        func drift(_ looks: String, _ suggestion: String) -> SchemaDrift {
            SchemaDrift(
                .retyped, column: column.name, found: name,
                evidence: "\(share) of its values are not \(column.type): \(looks)",
                suggestion: "\(line): \(suggestion)")
        }
        let failing =
            "(SELECT x FROM (SELECT \(profile.cell) AS x FROM sampled) WHERE x IS NOT NULL AND (\(typed(column))) IS NULL)"
        let example = try connection.value("SELECT x FROM \(failing) LIMIT 1") ?? ""
        func most(_ condition: String) throws -> Bool {
            try connection.value(
                "SELECT 'yes' FROM \(failing) HAVING count(*) FILTER (WHERE \(condition)) > 0.9 * count(*)") != nil
        }
        switch column.type {
        case .bigint, .integer, .double, .decimal:
            let ask = "ask for plain numbers, or `martlet quarantine fix --convert \(column.name)="
            if try most("regexp_full_match(x, '[+-]?[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?')") {
                return drift("they have thousands separators, like \"\(example)\"", ask + "no-separators`")
            }
            if try most("regexp_full_match(x, '[+-]?([0-9]+|[0-9]{1,3}([. ][0-9]{3})+),[0-9]+(e[+-]?[0-9]+)?')") {
                return drift(
                    "they have decimal commas, like \"\(example)\"",
                    "martlet.yaml, csv: {decimal: \",\", thousands: \".\"}, or `martlet quarantine fix --convert \(column.name)=decimal-comma`"
                )
            }
            if try most("regexp_full_match(x, '[+-]?[0-9.]+ ?%')") {
                return drift("they are percentages, like \"\(example)\"", "ask for plain numbers")
            }
            if try most("regexp_full_match(x, '[+-]?[0-9.]+ ?[A-Za-zµ°/]+')") {
                return drift("they carry a unit, like \"\(example)\"", "ask for plain numbers")
            }
            if column.type != .double, try most("TRY_CAST(x AS DOUBLE) IS NOT NULL") {
                return drift("they have fractions, like \"\(example)\"", "type: double")
            }
            if try most("TRY_CAST(x AS TIMESTAMP) IS NOT NULL") {
                return drift("they look like dates, like \"\(example)\"", "is it another column?")
            }
            return drift("they look like text, like \"\(example)\"", "type: text, if that is what it is now")
        case .date, .timestamp:
            if let found = try dateFormat(failing, column.type) {
                return drift(
                    "they look like dates in another format, like \"\(example)\"",
                    found.isEmpty ? "leave format: out (ISO 8601)" : "format: \"\(found)\"")
            }
            if try most("regexp_full_match(x, '[0-9]{10}([0-9]{3})?')") {
                return drift("they look like seconds or milliseconds since 1970, like \"\(example)\"", "type: bigint")
            }
            return drift("they look like text, like \"\(example)\"", "format: \"…\"")
        default:
            let values = try values(failing)
            return drift("they are \(values)", "type: text, allowed: [\(values)]")
        }
    }

    /// The format in which nearly all values are dates: empty for ISO 8601.
    private func dateFormat(_ failing: String, _ type: ColumnType) throws -> String? {
        let dates = [
            "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d-%m-%y",
            "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y",
        ]
        let formats =
            type == .date
            ? dates + dates.map { $0 + " %H:%M:%S" }
            : dates.flatMap { [$0 + " %H:%M:%S", $0 + " %H:%M", $0] } + ["%Y-%m-%d %H:%M", "%d.%m.%Y, %H:%M"]
        let iso = type == .date ? "TRY_CAST(x AS DATE)" : "TRY_CAST(x AS TIMESTAMPTZ)"
        let counts =
            ["count(*)::VARCHAR", "count(\(iso))::VARCHAR"]
            + formats.map { "count(try_strptime(x, \(Quote.text($0))))::VARCHAR" }
        let row = try connection.query("SELECT \(counts.joined(separator: ", ")) FROM \(failing)").texts().first ?? []
        let numbers = row.map { $0.flatMap { Int($0) } ?? 0 }
        guard let all = numbers.first, all > 0, let best = numbers.dropFirst().max(), Double(best) > 0.9 * Double(all),
            let place = numbers.dropFirst().firstIndex(of: best)
        else { return nil }
        return place == 1 ? "" : formats[place - 2]
    }

    /// Texts that are mostly none of the allowed ones.
    private func recoded(_ column: Contract.Column, _ profile: Profile, _ line: String) throws -> SchemaDrift? {
        guard !column.allowed.isEmpty else { return nil }
        let allowed = column.allowed.map { Quote.text($0) }.joined(separator: ", ")
        let failing = "(SELECT x FROM (SELECT \(profile.cell) AS x FROM sampled) WHERE x NOT IN (\(allowed)))"
        let bad = try connection.value("SELECT count(*)::VARCHAR FROM \(failing)").flatMap { Int($0) } ?? 0
        guard bad * 2 > profile.rows else { return nil }
        let isCase =
            try connection.value(
                """
                SELECT 'yes' FROM \(failing)
                HAVING count(*) FILTER (WHERE lower(x) IN (\(column.allowed.map { Quote.text($0.lowercased()) }.joined(separator: ", ")))) > 0.9 * count(*)
                """) != nil
        let values = try values(failing)
        return SchemaDrift(
            .recoded, column: column.name,
            evidence: "\(percent(bad, profile.rows)) of its values are not among the allowed ones"
                + (isCase ? "; they differ in letter case only (\(values))" : ": \(values)"),
            suggestion: "\(line): allowed: add what is right")
    }

    private func values(_ source: String) throws -> String {
        try connection.query("SELECT x FROM \(source) GROUP BY x ORDER BY count(*) DESC, x LIMIT 4").texts()
            .map { "\"\(($0[0] ?? "").prefix(30))\"" }.joined(separator: ", ")
    }

    // MARK: Names by values

    /// Finds missing columns among unknown ones by what they hold.
    private func pairByValues(
        _ names: inout HeaderDrift, _ request: DriftRequest, _ format: SourceFormat, _ history: Set<String>,
        _ evidence: inout [String: String]
    ) throws {
        for column in names.missing {
            var fitting: [Int] = []
            for place in names.extra where try holds("c\(place)", column, format, history) { fitting.append(place) }
            guard fitting.count == 1 else { continue }
            evidence[column.name] = "its values are like those of \(column.name)"
            names.pair(column, with: fitting[0])
        }
    }

    private func holds(
        _ cell: String, _ column: Contract.Column, _ format: SourceFormat, _ history: Set<String>
    ) throws -> Bool {
        let profile = try profile(column, cell, format)
        guard profile.rows >= 10, profile.typed * 20 >= profile.rows * 19 else { return false }
        let source = "(SELECT x FROM (SELECT \(profile.cell) AS x FROM sampled) WHERE x IS NOT NULL)"
        if !column.allowed.isEmpty {
            let allowed = column.allowed.map { Quote.text($0) }.joined(separator: ", ")
            return try share(source, "x IN (\(allowed))") > 0.9
        }
        if let pattern = column.pattern {
            return try share(source, "regexp_full_match(x, \(Quote.text(pattern)))") > 0.9
        }
        if isNumber(column.type) {
            guard history.contains(column.name), profile.quantiles.count == 5 else { return false }
            let before = try quantiles("SELECT \(Quote.name(column.name))::DOUBLE AS x FROM history")
            guard before.count == 5, before[4] > before[0] else { return false }
            return MeasurementUnit.distance(profile.quantiles, before) < 0.15
        }
        if column.type == .text {
            guard history.contains(column.name) else { return false }
            return try share(source, "x IN (SELECT \(Quote.name(column.name)) FROM history)") > 0.8
        }
        return column.type != .boolean
    }

    private func share(_ source: String, _ condition: String) throws -> Double {
        try connection.value("SELECT (count(*) FILTER (WHERE \(condition)) / count(*)::DOUBLE)::VARCHAR FROM \(source)")
            .flatMap { Double($0) } ?? 0
    }

    func percent(_ part: Int, _ whole: Int) -> String {
        part == whole ? "100 %" : "\(min(99, max(1, Int((Double(part) / Double(max(1, whole)) * 100).rounded())))) %"
    }
}
