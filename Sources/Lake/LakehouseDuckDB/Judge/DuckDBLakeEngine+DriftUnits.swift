internal import Core
internal import DuckDB
package import Lakehouse
internal import SourceFormats

// Values in another unit: quantiles of what came against those of the table so far, or against the contract's range.

extension DuckDBLakeEngine {
    func shifted(
        _ column: Contract.Column, _ profile: Profile, _ name: String, _ contract: Contract, _ hasHistory: Bool
    ) throws -> SchemaDrift? {
        guard isNumber(column.type), profile.quantiles.count == 5, profile.typed >= 10 else { return nil }
        let own = HeaderDrift.unit(column)
        let named = MeasurementUnit.unit(inName: name).flatMap { $0 == own ? nil : $0 }
        var candidates = MeasurementUnit.candidates(for: own)
        if let own, let named, let known = MeasurementUnit.conversion(from: named, to: own) { candidates = [known] }
        let now = profile.quantiles
        var before: [Double] = []
        if hasHistory {
            before = try quantiles("SELECT \(Quote.name(column.name))::DOUBLE AS x FROM history")
        }
        let unit = own.map { " \($0)" } ?? ""
        var found: (conversion: MeasurementUnit.Conversion, evidence: String)?
        if before.count == 5, before[4] > before[0] {
            if let best = MeasurementUnit.best(candidates, from: now, to: before) {
                found = (best, "median \(short(now[2])), so far \(short(before[2]))\(unit); \(best.formula) fits")
            }
        } else if let low = column.min.flatMap({ Double($0) }), let high = column.max.flatMap({ Double($0) }) {
            func share(_ convert: (Double) -> Double) -> Int { now.count { (low...high).contains(convert($0)) } }
            let fitting = candidates.filter { one in
                share { one($0) } == 5 && abs(one(now[2])) > (high - low) / 5000
            }
            if share({ $0 }) <= 2,
                let best = fitting.min(by: {
                    ($0.isCustomary ? 1 : 0, $0.magnitude) < ($1.isCustomary ? 1 : 0, $1.magnitude)
                })
            {
                found = (
                    best,
                    "median \(short(now[2])), the contract has \(column.min ?? "") to \(column.max ?? "")\(unit); \(best.formula) fits"
                )
            }
        }
        guard let (conversion, evidence) = found else { return nil }
        let other = conversion.unit ?? named
        return SchemaDrift(
            .unit, column: column.name, found: other ?? name,
            evidence: (column.headerNames.contains(name) ? "" : "in \"\(name)\", ") + evidence
                + (other.map { " (as if in \($0))" } ?? ""),
            suggestion:
                "\(contract.place(of: column.name)): ask for\(unit.isEmpty ? " the same unit" : unit), or declare a "
                + "source of its own for files\(other.map { " in \($0)" } ?? " like this")")
    }

    /// Detects changed units in rows just written, against the table so far; a met contract does not rule them out.
    /// - Returns: drifts by digest of the file.
    package func shiftedUnits(
        in written: [String], against existing: [String], contract: Contract
    ) throws -> [String: [SchemaDrift]] {
        let columns = contract.columns.filter { isNumber($0.type) && !contract.key.contains($0.name) }
        guard !columns.isEmpty, !existing.isEmpty, !written.isEmpty else { return [:] }
        defer { _ = try? connection.execute("DROP TABLE IF EXISTS history") }
        do {
            let known = try history(
                DriftRequest(path: "", contract: contract, format: SourceFormat(), existing: existing))
            let usable = columns.filter { known.contains($0.name) }
            guard !usable.isEmpty else { return [:] }
            let levels = [0.1, 0.25, 0.5, 0.75, 0.9]
            let before =
                try connection.query(
                    "SELECT \(usable.flatMap { column in levels.map { "quantile_cont(\(Quote.name(column.name))::DOUBLE, \($0))::VARCHAR" } }.joined(separator: ", ")) FROM history"
                ).texts().first ?? []
            let now = try connection.query(
                """
                SELECT _file, \(usable.flatMap { column in ["count(\(Quote.name(column.name)))::VARCHAR"] + levels.map { "approx_quantile(\(Quote.name(column.name))::DOUBLE, \($0))::VARCHAR" } }.joined(separator: ", "))
                FROM \(Quote.parquet(written)) GROUP BY _file
                """
            ).texts()
            var drifts: [String: [SchemaDrift]] = [:]
            for row in now {
                guard let digest = row[0] else { continue }
                for (index, column) in usable.enumerated() {
                    let past = before[(index * 5)..<(index * 5 + 5)].compactMap { $0.flatMap { Double($0) } }
                    let cells = row[(1 + index * 6)..<(7 + index * 6)].map { $0.flatMap { Double($0) } }
                    let present = cells.dropFirst().compactMap(\.self)
                    guard past.count == 5, present.count == 5, (cells[0] ?? 0) >= 30, past[4] > past[0] else {
                        continue
                    }
                    let own = HeaderDrift.unit(column)
                    guard
                        let best = MeasurementUnit.best(MeasurementUnit.candidates(for: own), from: present, to: past)
                    else { continue }
                    drifts[digest, default: []].append(
                        SchemaDrift(
                            .unit, column: column.name, found: best.unit,
                            evidence:
                                "median \(short(present[2])), so far \(short(past[2]))\(own.map { " \($0)" } ?? ""); "
                                + best.formula + " fits" + (best.unit.map { " (as if in \($0))" } ?? ""),
                            suggestion:
                                "\(contract.place(of: column.name)): the rows keep the contract and were taken; "
                                + "a narrower min and max would have refused them"))
                }
            }
            return drifts
        } catch is DuckDBError { return [:] }
    }

    func short(_ value: Double) -> String {
        let digits = abs(value) >= 100 ? 1.0 : 1000.0
        let rounded = (value * digits).rounded() / digits
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
    }
}

extension MeasurementUnit {
    /// How far apart two distributions are: mean difference of quantiles, in widths of the second.
    static func distance(_ now: [Double], _ before: [Double]) -> Double {
        let width = before[4] - before[0]
        return zip(now, before).reduce(0) { $0 + abs($1.0 - $1.1) } / 5 / width
    }

    /// The conversion after which values are like those before; `nil` when they are alike without one, or never.
    static func best(_ candidates: [Conversion], from now: [Double], to before: [Double]) -> Conversion? {
        // Below one width, values have moved as values do; a scale that shrank is seen from the other side.
        let own = distance(now, before)
        guard own > 0.5, max(own, now[4] > now[0] ? distance(before, now) : 0) > 1.5 else { return nil }
        let fitting = candidates.compactMap { one -> (Conversion, Double)? in
            let converted = now.map { one($0) }
            let widths = (converted[4] - converted[0]) / (before[4] - before[0])
            let apart = distance(converted, before)
            return apart < 0.25 && apart < own / 3 && (0.5...2).contains(widths) ? (one, apart) : nil
        }
        return fitting.min { $0.1 < $1.1 }?.0
    }
}
