internal import Core
internal import DuckDB
package import Lakehouse
internal import Storage

extension DuckDBLakeEngine {
    /// Computes a part of a SELECT and works out what it replaces; writes new Parquet files.
    package func materialise(_ request: SliceRequest) throws -> Slice? {
        let query = request.query
        try prepare(query)
        defer { _ = try? connection.execute("DROP TABLE IF EXISTS slice") }
        return try explained(query) {
            let (fields, select) = try projection(query)
            guard fields == request.fields, let by = fields.first(where: { $0.name == request.by }) else { return nil }
            return try onOneThread(query.inRowOrder || areSmall(query.inputs.values.joined())) {
                let from = try moment(request.from, by, query)
                let auditFrom = try moment(request.auditFrom, by, query)
                let name = Quote.name(by.name)
                try connection.execute(
                    """
                    CREATE OR REPLACE TEMP TABLE slice AS
                    SELECT * FROM (\(select)) WHERE \(name) >= \(auditFrom) OR \(name) IS NULL
                    """)
                try refuseMissing(by.name, in: "slice", query)
                var slice = Slice()
                let stored = "(SELECT * FROM \(Quote.parquet(request.files)) WHERE \(name) >= \(auditFrom))"
                slice.auditDifferences = try differences(
                    fields, "(SELECT * FROM slice WHERE \(name) < \(from))",
                    "(SELECT * FROM \(stored) WHERE \(name) < \(from))")
                guard slice.auditDifferences.isEmpty else { return slice }
                try replace(request, from: "\(name) >= \(from)", fields, in: &slice)
                let rows = "SELECT * FROM slice WHERE \(name) >= \(from) \(order(fields, by: by.name))"
                let written = try copy(rows, to: "\(request.folder)/part-\(request.fileID).parquet", fields)
                if written.rows > 0 { slice.written = written } else { Disk.remove(written.path) }
                return slice
            }
        }
    }

    /// Rewrites the table's files without the rows that are computed again.
    private func replace(
        _ request: SliceRequest, from condition: String, _ fields: [DeltaField], in slice: inout Slice
    ) throws {
        let all = Quote.parquet(request.files)
        let touched = try connection.query("SELECT DISTINCT filename FROM \(all) WHERE \(condition)").texts()
        let names = Set(touched.compactMap(\.first))
        for (index, file) in request.files.enumerated() where names.contains(file) {
            let source = Quote.parquet([file])
            slice.leaving =
                try slice.leaving + hash(of: fields, in: "(SELECT * FROM \(source) WHERE \(condition))")
            let kept = try copy(
                "SELECT * FROM \(source) WHERE NOT (\(condition))",
                to: "\(request.folder)/part-\(request.fileID)-\(index).parquet", fields)
            if kept.rows > 0 {
                slice.replaced.append((file, kept))
            } else {
                Disk.remove(kept.path)
                slice.replaced.append((file, nil))
            }
        }
    }

    /// Columns in which two sets of rows differ, taken one column at a time.
    private func differences(_ fields: [DeltaField], _ a: String, _ b: String) throws -> [String] {
        if try hash(of: fields, in: a) == hash(of: fields, in: b) { return [] }
        let sums = try fields.map { "coalesce(sum(\(try Self.rowHash([$0]))::HUGEINT), 0)::VARCHAR" }
        let list = (["count(*)::VARCHAR"] + sums).joined(separator: ", ")
        let left = try connection.query("SELECT \(list) FROM \(a)").texts().first ?? []
        let right = try connection.query("SELECT \(list) FROM \(b)").texts().first ?? []
        guard left.first == right.first else { return ["rows"] }
        let names = zip(fields, zip(left.dropFirst(), right.dropFirst())).filter { $0.1.0 != $0.1.1 }.map(\.0.name)
        return names.isEmpty ? ["rows"] : names
    }

    /// Finds the earliest moment in `column` among rows that are in only one of two lists of Parquet files.
    package func earliestChange(in column: String, from old: [String], to new: [String]) throws -> EarliestChange {
        let before = Set(old)
        let after = Set(new)
        let gone = old.filter { !after.contains($0) }
        let come = new.filter { !before.contains($0) }
        if come.isEmpty && gone.isEmpty { return .none }
        let name = Quote.name(column)
        do {
            var source = come.isEmpty ? "" : Quote.parquet(come)
            if !gone.isEmpty {
                let left = "SELECT * FROM \(Quote.parquet(gone))"
                guard !come.isEmpty else {
                    source = "(\(left))"
                    return try earliest(name, in: source)
                }
                let right = "SELECT * FROM \(source)"
                if try describeTypes(left).map(\.name) != describeTypes(right).map(\.name) { return .unknown }
                source = "((\(left) EXCEPT ALL \(right)) UNION ALL (\(right) EXCEPT ALL \(left)))"
            }
            return try earliest(name, in: source)
        } catch is DuckDBError {
            // What was there before may have been vacuumed.
            return .unknown
        }
    }

    private func earliest(_ name: String, in source: String) throws -> EarliestChange {
        let row =
            try connection.query(
                """
                SELECT count(*)::VARCHAR, count(\(name))::VARCHAR, epoch_us(CAST(min(\(name)) AS TIMESTAMP))::VARCHAR
                FROM \(source)
                """
            ).texts().first ?? []
        guard row.count == 3, row[0] == row[1] else { return .unknown }
        return row[2].flatMap { Int64($0) }.map { .from(Timestamp(microseconds: $0)) } ?? .none
    }

    /// A moment as a literal of the column's type. A date is the day that holds the moment.
    func moment(_ moment: Timestamp, _ column: DeltaField, _ query: Query) throws -> String {
        switch column.type {
        case "timestamp_ntz": return "make_timestamp(\(moment.microseconds))"
        case "timestamp": return "make_timestamptz(\(moment.microseconds))"
        case "date": return "CAST(make_timestamp(\(moment.microseconds)) AS DATE)"
        default:
            throw MartletError(
                .input, "transform.incremental", "\(column.name) is \(column.type), and incremental.by needs moments.",
                at: query.file.map { .init(file: $0) }, remedy: "Name a column of type timestamp or date.")
        }
    }

    /// The order in which an incremental table is kept: by its moments, then by everything else.
    func order(_ fields: [DeltaField], by: String) -> String {
        let names = [by] + fields.map(\.name).filter { $0 != by }
        return "ORDER BY " + names.map { Quote.name($0) }.joined(separator: ", ")
    }

    /// Refuses rows without a moment: they would belong to no part of the table.
    func refuseMissing(_ by: String, in source: String, _ query: Query) throws {
        guard try connection.value("SELECT '1' FROM \(source) WHERE \(Quote.name(by)) IS NULL LIMIT 1") != nil else {
            return
        }
        throw MartletError(
            .input, "transform.incremental",
            "The SELECT gives rows whose \(by) is missing, and incremental.by needs it.",
            at: query.file.map { .init(file: $0) }, remedy: "Leave such rows out: WHERE \(by) IS NOT NULL.")
    }
}
