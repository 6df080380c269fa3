internal import Core
internal import DelimitedText
internal import Storage

extension TextTable {
    /// Reads a small CSV file with a header as texts.
    package static func read(csv file: String) throws -> TextTable {
        var bytes = try Disk.read(file)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        if let place = bytes.withUnsafeBytes({ UTF8Check.firstInvalid($0) }) ?? bytes.firstIndex(of: 0) {
            throw MartletError(
                .input, "file.unreadable", "Byte \(place + 1) of it is no UTF-8 text.", at: .init(file: file),
                remedy: "Save it as UTF-8.")
        }
        guard let all = CSVText.records(bytes, CSVDialect()), let names = all.first else {
            throw MartletError(
                .input, "file.unreadable", "It has no header, or a quote in it is not closed.", at: .init(file: file))
        }
        let rows = all.dropFirst().enumerated().map { ($0 + 1, $1) }
        if let (row, cells) = rows.first(where: { $1.count != names.count }) {
            throw MartletError(
                .input, "file.unreadable",
                "Row \(row) has \(cells.count) cells, and the header \(names.count).", at: .init(file: file))
        }
        return TextTable(
            names: names, types: names.map { _ in "varchar" }, rows: rows.map { $1.map { $0.isEmpty ? nil : $0 } })
    }
}
