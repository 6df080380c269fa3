internal import Core
package import Lakehouse
package import Projects
internal import SourceFormats
internal import Storage

/// Summary of a source's quarantine: counts of rows and files.
package struct QuarantineOverview: Sendable, Encodable {
    /// Numbers of rows, or of files, by state.
    package struct Counts: Sendable, Encodable {
        /// Rows or files that wait for a person's decision or for another contract.
        package var open = 0
        /// Rows or files that went into bronze later.
        package var replayed = 0
        /// Rows or files that a person marked as dropped.
        package var dropped = 0
        /// Rejected rows for which a later row has the same key, under latest-wins; 0 for files.
        package var superseded = 0

        /// The number in a state.
        package subscript(state: QuarantineState) -> Int {
            get {
                switch state {
                case .open: open
                case .replayed: replayed
                case .dropped: dropped
                case .superseded: superseded
                }
            }
            set {
                switch state {
                case .open: open = newValue
                case .replayed: replayed = newValue
                case .dropped: dropped = newValue
                case .superseded: superseded = newValue
                }
            }
        }
    }

    /// Name of the source, as in martlet.yaml.
    package var source: String
    /// Rows by state; a row that violates several rules counts once.
    package var rows = Counts()
    /// Rejected files by state.
    package var files = Counts()
    /// Rows by file, column, rule and state; a row counts under each rule that it violates.
    package var groups: [QuarantineCount]
    /// The files that were rejected whole, of every state, in the order of their first rejection.
    package var refused: [RefusedFile]
}

/// Selection of quarantined rows and files from the command line's options.
package struct QuarantineChoice: Sendable {
    /// Name of the file, or its digest or the beginning of it; `nil`: any file.
    package var file: String?
    /// A single row as FILE:ROW, with the number of the data row from 1; `nil`: all rows.
    package var row: String?
    /// Contract column, or a header name of it, in which a row violates `rule`, or any rule; `nil`: any.
    package var column: String?
    /// Rule that a row violates, or its part before a colon: "not null", "well-formed line"; `nil`: any.
    package var rule: String?
    /// Conditions COLUMN=TEXT, which must all hold, on corrected, else raw, text; nothing after = means missing.
    package var holding: [String] = []
    /// States of the selected rows and files, at least one; only open ones unless set.
    package var states: Set<QuarantineState> = [.open]
    /// Whether only rows with a correction are selected, and no files.
    package var correctedOnly = false

    package init() {}

    /// Whether the selection restricts nothing within files, so that rejected files are included.
    var coversFiles: Bool {
        row == nil && column == nil && rule == nil && holding.isEmpty && !correctedOnly
    }
}

extension Workspace {
    /// Returns the source with this name.
    package func quarantineSource(_ name: String) throws -> Project.Source {
        try source(named: name.hasPrefix("quarantine.") ? String(name.dropFirst(11)) : name, for: "")
    }

    /// Summarises a source's quarantine.
    package func quarantine(_ source: Project.Source) throws -> QuarantineOverview {
        var overview = QuarantineOverview(
            source: source.name, groups: try lake.countQuarantined(source.name),
            refused: try lake.refusedFiles(source.name))
        overview.rows = try rowCounts(source.name)
        for file in overview.refused { overview.files[file.state] += 1 }
        return overview
    }

    private func rowCounts(_ source: String) throws -> QuarantineOverview.Counts {
        var counts = QuarantineOverview.Counts()
        for (state, rows) in try lake.countQuarantinedRows(source) { counts[state] = rows }
        return counts
    }

    /// Returns the selected rows, with the history of decisions about each unless it is not wanted.
    package func quarantinedRows(
        _ choice: QuarantineChoice, of source: Project.Source, limit: Int?, withHistory: Bool = true
    ) throws -> [QuarantinedRow] {
        try lake.quarantinedRows(source.name, try filter(choice, source), limit: limit, withHistory: withHistory)
    }

    /// Returns the selected rejected files.
    package func refusedFiles(_ choice: QuarantineChoice, of source: Project.Source) throws -> [RefusedFile] {
        guard choice.coversFiles else { return [] }
        let files = try lake.refusedFiles(source.name).filter { choice.states.contains($0.state) }
        guard let name = choice.file else { return files }
        return files.filter { $0.file == name || $0.digest.hasPrefix(name) }
    }

    /// Compares a rejected file's schema with the present contract.
    package func drift(of file: RefusedFile, _ source: Project.Source) throws -> [SchemaDrift] {
        guard let kept = file.kept, file.state == .open else { return [] }
        return try lake.drift(of: kept, source.contract, source.format)
    }

    /// Corrects cells of the selected rows by a conversion: `convert` is COLUMN=RULE, see ``CellConversion``.
    package func fix(
        _ choice: QuarantineChoice, convert: [String], of source: Project.Source, reason: String?
    ) throws -> DecisionReport {
        let rules = try convert.map { text in
            let (column, rule) = try assignment(text, source)
            let isWhole = [ColumnType.bigint, .integer].contains(column.type)
            return (column, try CellConversion(rule ?? "", wholeNumbers: isWhole))
        }
        let rows = try quarantinedRows(choice, of: source, limit: nil, withHistory: false)
        guard !rows.isEmpty else { throw try noMatch(choice, source) }
        return try lake.fix(
            rows.flatMap { row in
                rules.compactMap { column, rule in
                    row.text(of: column).flatMap { rule($0) }.map {
                        CellCorrection(digest: row.digest, row: row.row, column: column.name, value: $0)
                    }
                }
            }, of: source.contract, reason: reason, by: actor)
    }

    /// Sets cells of the selected rows: `set` is COLUMN=TEXT.
    package func fix(
        _ choice: QuarantineChoice, set: [String], of source: Project.Source, reason: String?
    ) throws -> DecisionReport {
        let values = try set.map { try assignment($0, source) }
        let rows = try quarantinedRows(choice, of: source, limit: nil, withHistory: false)
        guard !rows.isEmpty else { throw try noMatch(choice, source) }
        return try lake.fix(
            rows.flatMap { row in
                values.map {
                    CellCorrection(digest: row.digest, row: row.row, column: $0.column.name, value: $0.text ?? "")
                }
            }, of: source.contract, reason: reason, by: actor)
    }

    /// Replaces one row by a whole line, as the file should have had it.
    package func fix(
        _ choice: QuarantineChoice, line: String, of source: Project.Source, reason: String?
    ) throws -> DecisionReport {
        guard let row = try quarantinedRows(choice, of: source, limit: 2).first else {
            throw try noMatch(choice, source)
        }
        let cells = try cells(of: line, under: row.header ?? [], source)
        guard let header = row.header, header.count == cells.count else {
            throw MartletError(
                .usage, "quarantine.line",
                "The line has \(cells.count) cells; its file has \(row.header?.count ?? 0) columns.",
                remedy: row.header.map {
                    "Columns: \($0.joined(separator: source.format.delimiter.isEmpty ? " " : source.format.delimiter))"
                })
        }
        let corrections = source.contract.columns.compactMap { column -> CellCorrection? in
            guard let place = header.firstIndex(where: { column.headerNames.contains($0) }) else { return nil }
            return CellCorrection(digest: row.digest, row: row.row, column: column.name, value: cells[place])
        }
        return try lake.fix(corrections, of: source.contract, reason: reason, by: actor)
    }

    private func cells(of line: String, under header: [String], _ source: Project.Source) throws -> [String] {
        let kind = try SourceFormats.find(source.format.kind)
        guard let parse = kind.cells else {
            throw MartletError(
                .usage, "quarantine.line", "A row of \(kind.title) is no line.",
                remedy: "Correct its cells with --set COLUMN=VALUE.")
        }
        do { return try parse(line, source.format, header, false) } catch let refusal as FileRefusal {
            throw MartletError(.usage, "quarantine.line", "The line cannot be read: \(refusal.reason).")
        }
    }

    /// Applies corrections from a CSV file with the columns file, row, column and value.
    package func fix(from path: String, of source: Project.Source, reason: String?) throws -> DecisionReport {
        let absolute = Disk.absolute(path)
        guard Disk.stamp(absolute) != nil else {
            throw MartletError(.missing, "file.missing", "There is no file \(path).")
        }
        let table = try TextTable.read(csv: absolute)
        let places = try ["file", "row", "column", "value"].map { name in
            guard let place = table.names.firstIndex(of: name) else {
                throw MartletError(
                    .input, "quarantine.corrections", "The file of corrections has no column \(name).",
                    at: .init(file: path), remedy: "It needs the header file,row,column,value.")
            }
            return place
        }
        let known = try knownFiles(source)
        let corrections = try table.rows.enumerated().map { index, row in
            guard let file = row[places[0]], let number = row[places[1]].flatMap({ Int($0) }),
                let column = row[places[2]]
            else {
                throw MartletError(
                    .input, "quarantine.corrections",
                    "Correction \(index + 1) of the file lacks its file, row number or column.",
                    at: .init(file: path))
            }
            return CellCorrection(
                digest: try oneFile(file, known, source), row: number,
                column: try self.column(column, source).name, value: row[places[3]] ?? "")
        }
        return try lake.fix(corrections, of: source.contract, reason: reason, by: actor)
    }

    /// Marks the selected rows and files as dropped.
    package func drop(
        _ choice: QuarantineChoice, of source: Project.Source, reason: String, takeBack: Bool
    ) throws -> DecisionReport {
        let rows = try quarantinedRows(choice, of: source, limit: nil, withHistory: false)
        let files = try refusedFiles(choice, of: source)
        guard !rows.isEmpty || !files.isEmpty else { throw try noMatch(choice, source) }
        return try lake.drop(rows, files, of: source.name, reason: reason, takeBack: takeBack, by: actor)
    }

    /// Checks the selected rows and files under the present contract and adds the good ones to bronze, exactly once.
    /// - Parameter byRow: take the good rows of a refused file whatever share is bad; the others stay, row by row.
    package func replay(
        _ choice: QuarantineChoice, of source: Project.Source, byRow: Bool
    ) throws -> ReplayReport {
        let refused = try refusedFiles(choice, of: source)
        var report = try withScratch { scratch in
            try lake.replay(
                try filter(choice, source), of: source.contract, format: source.format, scratch: scratch,
                by: actor)
        }
        guard !refused.isEmpty else { return report }
        var contract = source.contract
        if byRow { contract.judgeRows() }
        let landed = try refused.map { try original(of: $0, source) }
        let ingested = try lake.ingest(landed, of: contract, format: source.format)
        report.files = ingested.files
        // Under the same contract a file is not read again; the reason that stands is the first one.
        let reasons = Dictionary(refused.map { ($0.digest, $0.reason) }) { first, _ in first }
        for index in report.files.indices where report.files[index].outcome == .refused {
            if let reason = report.files[index].digest.flatMap({ reasons[$0.hex] }), report.files[index].rowsRead == 0 {
                report.files[index].refusal = reason
            }
        }
        report.version = ingested.version ?? report.version
        return report
    }

    /// The bytes of a refused file: what quarantine keeps, else a file of the same digest in the landing folder.
    private func original(of file: RefusedFile, _ source: Project.Source) throws -> LandedFile {
        let candidates = [file.kept].compactMap(\.self) + ["\(source.landing)/\(file.file)"]
        for path in candidates where Disk.stamp(path) != nil {
            var builder = DigestBuilder()
            try Disk.scan(path) { piece in
                builder.update(piece)
                return true
            }
            let landed = LandedFile(path: path, name: file.file, content: builder.finish())
            if landed.digest.hex == file.digest { return landed }
        }
        throw MartletError(
            .missing, "quarantine.no-original",
            "The bytes of the refused file \(file.file) (\(file.digest.prefix(12))) are not there any more.",
            remedy: "Land the file again; it is known by its digest.")
    }
}
