internal import Core
internal import Storage

/// A person's correction of one cell of a quarantined row.
package struct CellCorrection: Sendable {
    /// SHA-256 of the file that the row came from.
    package var digest: String
    /// Data row in its file, from 1.
    package var row: Int
    /// Contract column whose cell is corrected.
    package var column: String
    /// The corrected raw text, as a file would have it; empty = missing.
    package var value: String

    package init(digest: String, row: Int, column: String, value: String) {
        self.digest = digest
        self.row = row
        self.column = column
        self.value = value
    }
}

/// Result of a decision: how many rows, cells and files it changed.
package struct DecisionReport: Sendable, Encodable {
    /// Id shared by everything that was decided at once; `nil` when nothing changed.
    package var decision: String?
    /// Number of rows that were corrected, dropped or reopened.
    package var rows = 0
    /// Number of corrected cells; 0 when rows or files were dropped or reopened.
    package var cells = 0
    /// Number of files, rejected whole, that were dropped or reopened.
    package var files = 0
}

extension Lake {
    /// Records corrections of cells of open quarantined rows. A cell that already has the value is skipped.
    package func fix(
        _ corrections: [CellCorrection], of contract: Contract, reason: String?, by actor: String
    ) throws -> DecisionReport {
        let tables = try quarantineTables(contract.source)
        var filter = QuarantineFilter()
        filter.digests = Array(Set(corrections.map(\.digest)))
        filter.rows = Array(Set(corrections.map(\.row)))
        let found = try engine.quarantinedRows(tables, filter, limit: nil)
        let byRow = Dictionary(found.map { ("\($0.digest):\($0.row)", $0) }) { first, _ in first }
        let columns = Dictionary(contract.columns.map { ($0.name, $0) }) { first, _ in first }
        return try decide(contract.source, reason, by: actor) { decision in
            try corrections.compactMap { correction in
                guard let row = byRow["\(correction.digest):\(correction.row)"] else {
                    throw MartletError(
                        .missing, "quarantine.no-row",
                        "Row \(correction.row) of the file \(correction.digest.prefix(12)) is not open in quarantine.",
                        remedy: "`martlet quarantine show \(contract.source)` lists the open rows with their ids.")
                }
                guard let column = columns[correction.column] else {
                    throw MartletError(
                        .usage, "quarantine.no-column",
                        "The contract of \(contract.source) has no column \(correction.column).",
                        remedy: Spelling.nearest(to: correction.column, among: contract.columns.map(\.name)).map {
                            "Did you mean \($0)?"
                        })
                }
                let old = row.text(of: column)
                guard (old ?? "") != correction.value || row.cells == nil && row.corrections[column.name] == nil else {
                    return nil
                }
                return decision(.fix, row.file, row.digest, row.row, column.name, old, correction.value)
            }
        }
    }

    /// Marks open quarantined rows and files as dropped, or open again. Nothing is deleted.
    package func drop(
        _ rows: [QuarantinedRow], _ files: [RefusedFile], of source: String, reason: String, takeBack: Bool = false,
        by actor: String
    ) throws -> DecisionReport {
        let action: QuarantineDecision.Action = takeBack ? .reopen : .drop
        return try decide(source, reason, by: actor) { decision in
            rows.map { decision(action, $0.file, $0.digest, $0.row, nil, nil, nil) }
                + files.map { decision(action, $0.file, $0.digest, nil, nil, nil, nil) }
        }
    }

    typealias MakeDecision = (
        QuarantineDecision.Action, _ file: String, _ digest: String, _ row: Int?, _ column: String?, _ old: String?,
        _ new: String?
    ) -> QuarantineDecision

    private func decide(
        _ source: String, _ reason: String?, by actor: String, _ make: (MakeDecision) throws -> [QuarantineDecision]
    ) throws -> DecisionReport {
        let id = context.newID()
        let at = context.now().description
        let decisions = try make { action, file, digest, row, column, old, new in
            QuarantineDecision(
                decision: id, at: at, actor: actor, action: action.rawValue, reason: reason,
                digest: digest, file: file, row: row, column: column, oldValue: old, newValue: new)
        }
        guard !decisions.isEmpty else { return DecisionReport() }
        try record(decisions, id: id, of: source)
        return DecisionReport(
            decision: id, rows: Set(decisions.compactMap { one in one.row.map { "\(one.digest):\($0)" } }).count,
            cells: decisions.count { $0.column != nil }, files: decisions.count { $0.row == nil })
    }

    /// One commit for all decisions that were taken together.
    func record(_ decisions: [QuarantineDecision], id: String, of source: String) throws {
        let name = decisionsTable(source)
        let table = table(name)
        try Disk.makeDirectory(table.folder)
        func text(_ value: (QuarantineDecision) -> String?) -> LakeColumn {
            var codes: [Int32] = []
            var levels: [String] = []
            var known: [ByteText: Int32] = [:]
            for decision in decisions {
                guard let text = value(decision) else {
                    codes.append(-1)
                    continue
                }
                let code = known[ByteText(text)] ?? Int32(levels.count)
                if Int(code) == levels.count {
                    known[ByteText(text)] = code
                    levels.append(text)
                }
                codes.append(code)
            }
            return .text(codes: codes, levels: levels)
        }
        let file = try engine.write(
            [
                ("decision", text { $0.decision }), ("at", text { $0.at }), ("actor", text { $0.actor }),
                ("action", text { $0.action }), ("reason", text { $0.reason }),
                ("file_digest", text { $0.digest }), ("file_name", text { $0.file }),
                (
                    "row",
                    .integer(decisions.map { Int64($0.row ?? 0) }, valid: decisions.map { $0.row != nil })
                ),
                ("column", text { $0.column }), ("old_value", text { $0.oldValue }),
                ("new_value", text { $0.newValue }),
            ], into: "\(table.folder)/part-\(id).parquet")
        _ = try commit(name) { current in
            var actions = [commitInfo("WRITE", [:])]
            if current == nil { actions += try header(file.fields) }
            actions.append(mark("martlet/decision/\(id)"))
            actions.append(try add(file, to: table))
            return actions
        }
    }

    /// The number of an application's next transaction.
    func number(after last: Int64, of application: String, in table: DeltaTable) throws -> Int64 {
        guard last < .max else {
            throw MartletError(
                .input, "lake.corrupt-log",
                "The log counts transactions of \(application) to \(last): none can follow.",
                at: .init(file: table.logFolder), remedy: "Another program wrote that; restore the log from a backup.")
        }
        return last + 1
    }

    func mark(_ application: String, version: Int64 = 1) -> DeltaAction {
        DeltaAction(
            txn: DeltaTransaction(
                appId: application, version: version, lastUpdated: context.now().milliseconds))
    }
}

extension QuarantinedRow {
    /// Returns a contract column's raw text: its correction, else the original cell.
    package func text(of column: Contract.Column) -> String? {
        if let value = corrections[column.name] { return value.isEmpty ? nil : value }
        guard let header, let cells else { return nil }
        for name in column.headerNames {
            if let place = header.firstIndex(of: name), cells.indices.contains(place) { return cells[place] }
        }
        return nil
    }
}
