internal import Core
internal import Lakehouse
internal import Projects

// What a person wrote on the command line, found in quarantine.

extension Workspace {
    /// Name and digest of each file that has something in quarantine.
    func knownFiles(_ source: Project.Source) throws -> [(name: String, digest: String)] {
        let counted = try lake.countQuarantined(source.name).map { ($0.file, $0.digest) }
        let refused = try lake.refusedFiles(source.name).map { ($0.file, $0.digest) }
        var seen: Set<String> = []
        return (counted + refused).filter { seen.insert($0.1).inserted }.map { (name: $0.0, digest: $0.1) }
    }

    func digests(_ file: String, _ known: [(name: String, digest: String)], _ source: Project.Source) throws -> [String]
    {
        let found = known.filter { $0.name == file || file.count >= 4 && $0.digest.hasPrefix(file) }.map(\.digest)
        guard found.isEmpty else { return found }
        throw MartletError(
            .missing, "quarantine.no-file", "Nothing of a file \(file) stands in quarantine.\(source.name).",
            remedy: Spelling.nearest(to: file, among: known.map(\.name)).map { "Did you mean \($0)?" }
                ?? "`martlet quarantine list \(source.name)` names the files.")
    }

    func oneFile(_ file: String, _ known: [(name: String, digest: String)], _ source: Project.Source) throws -> String {
        let found = try digests(file, known, source)
        guard found.count > 1 else { return found[0] }
        throw MartletError(
            .usage, "quarantine.which-file", "\(found.count) files are called \(file).",
            remedy:
                "Say which by the beginning of its digest: \(found.map { String($0.prefix(12)) }.joined(separator: ", "))."
        )
    }

    /// A contract column by its own name or one under which files bring it.
    func column(_ name: String, _ source: Project.Source) throws -> Contract.Column {
        let columns = source.contract.columns
        if let column = columns.first(where: { $0.name == name })
            ?? columns.first(where: { $0.headerNames.contains(name) })
        {
            return column
        }
        throw MartletError(
            .usage, "quarantine.no-column", "The contract of \(source.name) has no column \(name).",
            remedy: Spelling.nearest(to: name, among: columns.map(\.name)).map { "Did you mean \($0)?" }
                ?? "Columns: \(columns.map(\.name).joined(separator: ", ")).")
    }

    /// COLUMN=TEXT; an empty text means missing.
    func assignment(_ text: String, _ source: Project.Source) throws -> (column: Contract.Column, text: String?) {
        // Header names may hold a =; the longest column name that fits wins.
        let names = source.contract.columns.flatMap { [$0.name] + $0.headerNames }.sorted { $0.count > $1.count }
        let name = names.first { text.hasPrefix($0 + "=") } ?? text.split(separator: "=").first.map(String.init) ?? text
        guard text.hasPrefix(name + "=") else {
            throw MartletError(
                .usage, "quarantine.assignment", "\(text) is not COLUMN=VALUE.",
                remedy: "For example --where ward=west --set ward=south; nothing after = means missing.")
        }
        let value = String(text.dropFirst(name.count + 1))
        return (try column(name, source), value.isEmpty ? nil : value)
    }

    func filter(_ choice: QuarantineChoice, _ source: Project.Source) throws -> QuarantineFilter {
        var filter = QuarantineFilter()
        filter.states = choice.states
        filter.correctedOnly = choice.correctedOnly
        filter.column = try choice.column.map { try column($0, source).name }
        filter.rule = choice.rule
        filter.holding = try choice.holding.map { try assignment($0, source) }
        if let file = choice.file { filter.digests = try digests(file, try knownFiles(source), source) }
        if let row = choice.row {
            guard let colon = row.lastIndex(of: ":"), let number = Int(row[row.index(after: colon)...]), number > 0
            else {
                throw MartletError(
                    .usage, "quarantine.row", "\(row) is not FILE:ROW.",
                    remedy: "For example east.csv:601; `martlet quarantine show \(source.name)` prints the ids of rows."
                )
            }
            filter.digests = [try oneFile(String(row[..<colon]), try knownFiles(source), source)]
            filter.rows = [number]
        }
        return filter
    }

    func noMatch(_ choice: QuarantineChoice, _ source: Project.Source) throws -> MartletError {
        var remedy = "`martlet quarantine show \(source.name)` shows what there is."
        if let text = choice.holding.first, let (column, _) = try? assignment(text, source) {
            var near = QuarantineChoice()
            near.column = column.name
            let values = try quarantinedRows(near, of: source, limit: 200).compactMap { $0.text(of: column) }
            let shown = Set(values).sorted().prefix(5).map { "\"\($0)\"" }
            if !shown.isEmpty { remedy = "Open rows that break \(column.name) hold \(shown.joined(separator: ", "))." }
        }
        return MartletError(
            .missing, "quarantine.no-match",
            "Nothing in quarantine.\(source.name) is like that and \(choice.states == [.open] ? "open" : "dropped").",
            remedy: remedy)
    }
}
