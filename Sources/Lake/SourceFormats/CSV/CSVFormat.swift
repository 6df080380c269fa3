internal import DelimitedText

extension SourceFormatDescriptor {
    /// CSV, and every other text of delimited cells.
    static let csv = SourceFormatDescriptor(
        kind: "csv", title: "a CSV file", about: "how its CSV files are written",
        options: [
            SourceOption("delimiter", .text, "between cells (default \",\"); blanks for runs of spaces and tabs"),
            SourceOption("quote", .text, "around cells (default '\"')"),
            SourceOption("escape", .text, "takes its meaning from the next character (default: none)"),
            SourceOption("comment", .text, "lines that begin with it are no records (default: none)"),
            SourceOption("header", .flag, "whether the first line names the columns (default true)"),
            SourceOption(
                "encoding", .text, "utf-8 (default), windows-1252, utf-16, or another name that iconv knows"),
            SourceOption("decimal", .text, "between whole and fraction of a number (default \".\")"),
            SourceOption("thousands", .text, "between groups of three digits (default: none)"),
        ] + SourceOption.cells + [SourceOption("skip_lines", .count(1_000_000), "lines before the header")],
        reading: .records { try CSVReader($0, $1, target: $2) },
        cells: { record, format, _, isStrict in
            guard let records = CSVText.records(Array(record.utf8), format.dialect, isStrict: isStrict) else {
                throw FileRefusal("a quote in it is not closed")
            }
            guard records.count <= 1 else { throw FileRefusal("it is \(records.count) records") }
            return records.first ?? []
        })
}
