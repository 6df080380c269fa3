/// How delimited text is spelled: what separates cells, what encloses them, and which lines are no records.
///
///     let dialect = CSVDialect(delimiter: ";")          // RFC 4180 with semicolons
package struct CSVDialect: Sendable, Equatable {
    /// Between cells, one to four bytes of UTF-8. Empty: any run of spaces and tabs, none at a line's ends.
    package var delimiter: [UInt8]
    /// Encloses a cell, and only at a cell's start; doubled inside of it. `nil`: cells are never enclosed.
    package var quote: UInt8?
    /// Takes its meaning from the next byte, in cells of both kinds. `nil`: none.
    package var escape: UInt8?
    /// A line that begins with these bytes is no record. Empty: there are no such lines.
    package var comment: [UInt8]
    /// Whether blanks before an opening and after a closing quote are left out.
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

    /// The longest record that a quoted cell may make, in bytes: a quote that is still open there counts as one that
    /// is never closed.
    package static let longestQuotedRecord = 8 << 20
}
