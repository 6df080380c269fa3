/// Just enough of SQL's spelling to see where a statement ends.
enum SQLText {
    /// The place of the first semicolon outside quotes and comments, or the end of the text.
    static func end(of sql: String) -> String.Index {
        var rest = sql[...]
        func skip(past mark: String) {
            if let found = rest.firstRange(of: mark) {
                rest = rest[found.upperBound...]
            } else {
                rest = rest[rest.endIndex...]
            }
        }
        while let character = rest.first {
            if character == ";" { return rest.startIndex }
            if rest.hasPrefix("--") {
                skip(past: "\n")
            } else if rest.hasPrefix("/*") {
                rest = rest.dropFirst(2)
                skip(past: "*/")
            } else if rest.hasPrefix("$$") {
                rest = rest.dropFirst(2)
                skip(past: "$$")
            } else if character == "'" || character == "\"" {
                rest = rest.dropFirst()
                skip(past: String(character))
            } else {
                rest = rest.dropFirst()
            }
        }
        return sql.endIndex
    }
}
