package import DelimitedText

/// How the files of a source are written: the kind of file, and the settings with which such files are read.
package struct SourceFormat: Sendable, Equatable {
    /// Name of the kind of file in a project: "csv"; ``SourceFormats`` has one for each.
    package var kind = "csv"
    /// Cell separator. Empty: any run of spaces and tabs.
    package var delimiter = ","
    /// Character that encloses a cell.
    package var quote = "\""
    /// Character that makes the next one literal; empty: only a doubled quote writes a quote.
    package var escape = ""
    /// Prefix of comment lines; empty: there are none.
    package var comment = ""
    /// Whether the first record has the column names.
    package var header = true
    /// Character encoding of the files.
    package var encoding: TextEncoding = .utf8
    /// Decimal separator of numbers.
    package var decimal = "."
    /// Separator between groups of three digits; none when empty.
    package var thousands = ""
    /// Texts that stand for a missing value; an empty cell always does.
    package var missing: [String] = []
    /// Whether blanks around each cell are removed before anything else.
    package var trim = false
    /// Number of lines or rows to skip before the header.
    package var skipLines = 0
    /// Settings that one kind of file alone has, by name: the sheet of a workbook.
    package var options: [String: String] = [:]

    package init() {}

    /// The settings that differ from the defaults, one a line; equal for formats that read files alike.
    package var settings: String {
        let usual = SourceFormat()
        var lines: [String] = []
        func add<T: Equatable>(_ name: String, _ path: KeyPath<SourceFormat, T>) {
            if self[keyPath: path] != usual[keyPath: path] { lines.append("\(name): \(self[keyPath: path])") }
        }
        add("format", \.kind)
        add("delimiter", \.delimiter)
        add("quote", \.quote)
        add("escape", \.escape)
        add("comment", \.comment)
        add("header", \.header)
        add("encoding", \.encoding)
        add("decimal", \.decimal)
        add("thousands", \.thousands)
        add("missing", \.missing)
        add("trim", \.trim)
        add("skip_lines", \.skipLines)
        lines += options.sorted { $0.key < $1.key }.map { "\($0): \($1)" }
        return lines.joined(separator: "\n")
    }

    /// Whether SQL engines read such files themselves, so that empty texts come as they are.
    package var isReadByEngine: Bool {
        if case .engine? = (try? SourceFormats.find(kind))?.reading { true } else { false }
    }

    /// How the source's CSV files are spelled.
    package var dialect: CSVDialect {
        CSVDialect(
            delimiter: delimiter, quote: quote, escape: escape, comment: comment, allowsBlanksAroundQuotes: trim)
    }
}
