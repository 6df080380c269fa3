internal import Core
internal import DuckDB
internal import Lakehouse
internal import SourceFormats

/// Maps the columns of a file to those of its contract.
struct HeaderReader {
    let contract: Contract
    let fileName: String

    /// Which cell of a line belongs to which column. Cells are called c0, c1, … by position, whatever the header says.
    struct Layout {
        /// Names of the cells, as the file gives them; without a header, as the contract does.
        var header: [String]
        var cells: Int { header.count }
        /// Names of the last cells, which come from the names of the file's folders, and not from the file.
        var partitionNames: [String] = []
        var partitions: Int { partitionNames.count }
        /// Cells of a record of the file.
        var fileCells: Int { cells - partitions }
        var present: [(column: Contract.Column, raw: String)]
        var absent: [Contract.Column]
        /// Header names that the contract does not know.
        var extra: [String]
        /// The cell that says whether a row is made up.
        var synthetic: String?

        static func cell(_ index: Int) -> String { "c\(index)" }
    }

    /// The header with the contract's names where columns are told by their places.
    private func positioned(_ header: [String]) -> [String] {
        var header = header
        for column in contract.columns {
            guard let position = column.position else { continue }
            for place in header.indices where header[place] == column.name { header[place] = "" }
            if header.indices.contains(position - 1) { header[position - 1] = column.name }
        }
        return header
    }

    /// - Throws: a sentence for people when the header does not fit the contract.
    func layout(_ header: [String]) throws(FileRefusal) -> Layout {
        for column in contract.columns {
            guard let position = column.position, position > header.count, !column.optional else { continue }
            throw FileRefusal(
                "the contract finds \(column.name) at position \(position), and its records have \(header.count) cells")
        }
        let header = positioned(header)
        var places: [String: Int] = [:]
        for (index, name) in header.enumerated() where !name.isEmpty {
            if places.updateValue(index, forKey: name) != nil {
                throw FileRefusal("the header names the column \"\(name)\" twice")
            }
        }
        var layout = Layout(header: header, present: [], absent: [], extra: [], synthetic: nil)
        var used: Set<String> = []
        var missing: [Contract.Column] = []
        for column in contract.columns {
            let found = column.headerNames.filter { places[$0] != nil }
            if found.count > 1 {
                throw FileRefusal(
                    "the header brings \(column.name) twice: \(found.map { "\"\($0)\"" }.joined(separator: " and "))")
            }
            if let name = found.first, let index = places[name] {
                layout.present.append((column, Layout.cell(index)))
                used.insert(name)
            } else if column.optional {
                layout.absent.append(column)
            } else {
                missing.append(column)
            }
        }
        layout.extra = header.filter { !$0.isEmpty && !used.contains($0) && $0 != "_synthetic" }
        layout.synthetic = places["_synthetic"].map { Layout.cell($0) }
        if !missing.isEmpty { throw FileRefusal(describe(missing, extra: layout.extra), isAboutNames: true) }
        return layout
    }

    private func describe(_ missing: [Contract.Column], extra: [String]) -> String {
        let names = missing.map { column in
            let want = "\"\(column.headerNames[0])\""
            let stem = plain(column.headerNames[0])
            guard
                let near = extra.first(where: { plain($0) == stem })
                    ?? Spelling.nearest(to: column.headerNames[0], among: extra)
            else { return want }
            let unit = column.unit.map { ", in \($0)" } ?? ""
            return "\(want) (the file has \"\(near)\"; the contract expects \(want)\(unit))"
        }
        let shown = names.prefix(4).joined(separator: ", ") + (names.count > 4 ? " and \(names.count - 4) more" : "")
        return "the header lacks \(names.count == 1 ? "the column" : "\(names.count) columns"): \(shown)"
    }

    /// A header name without its unit: "Cutting(kN)" → "cutting".
    private func plain(_ name: String) -> String {
        (name.firstIndex(of: "(").map { String(name[..<$0]) } ?? name).lowercased().filter { !$0.isWhitespace }
    }
}
