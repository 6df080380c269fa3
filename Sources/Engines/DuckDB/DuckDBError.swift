/// An error reported by DuckDB: its message and its error class.
package struct DuckDBError: Error, Sendable, CustomStringConvertible {
    /// DuckDB's error class: "Parser", "Binder", "Catalog", "Conversion", "Invalid Input", "IO", "Out of Memory"...
    package let category: String
    /// DuckDB's message without the class; the whole text when it names no class.
    package let message: String

    package init(_ text: String) {
        if let mark = text.range(of: " Error: "), text.distance(from: text.startIndex, to: mark.lowerBound) < 30 {
            category = String(text[..<mark.lowerBound])
            message = String(text[mark.upperBound...])
        } else {
            category = "Unknown"
            message = text
        }
    }

    package var description: String { message }
}

extension String {
    /// Where a piece of text first stands.
    fileprivate func range(of piece: String) -> Range<String.Index>? { self.firstRange(of: piece) }
}
