/// Settings of a delimited text format: delimiter, quote, escape and comment marker.
///
///     let dialect = CSVDialect(delimiter: ";")          // RFC 4180 with semicolons
package struct CSVDialect: Sendable, Equatable {
    /// Separator between cells, one to four bytes of UTF-8. Empty: any run of spaces and tabs, none at a line's ends.
    package var delimiter: [UInt8]
    /// Byte that encloses a cell, at the cell's start only, doubled inside. `nil`: cells are never enclosed.
    package var quote: UInt8?
    /// Byte that makes the next byte literal, in quoted and plain cells. `nil`: none.
    package var escape: UInt8?
    /// Prefix of lines that are skipped as comments. Empty: there are no such lines.
    package var comment: [UInt8]
    /// Whether blanks before an opening and after a closing quote are skipped.
    package var allowsBlanksAroundQuotes: Bool

    package init(
        delimiter: String = ",", quote: String = "\"", escape: String = "", comment: String = "",
        allowsBlanksAroundQuotes: Bool = false
    ) {
        self.delimiter = Array(delimiter.utf8)
        self.quote = quote.utf8.first
        self.escape = escape.utf8.first.flatMap { $0 == quote.utf8.first ? nil : $0 }
        self.comment = Array(comment.utf8)
        self.allowsBlanksAroundQuotes = allowsBlanksAroundQuotes
    }

    /// Longest record with a quoted cell, in bytes; a quote still open there counts as never closed.
    package static let longestQuotedRecord = 8 << 20
}
