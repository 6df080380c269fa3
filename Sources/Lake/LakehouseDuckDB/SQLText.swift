/// Minimal SQL tokeniser that finds where a statement ends.
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
            let isInName = rest.startIndex > sql.startIndex && isPartOfName(sql[sql.index(before: rest.startIndex)])
            if rest.hasPrefix("--") {
                skip(past: "\n")
            } else if rest.hasPrefix("/*") {
                // Comments nest.
                var depth = 0
                repeat {
                    if rest.hasPrefix("/*") {
                        depth += 1
                        rest = rest.dropFirst(2)
                    } else if rest.hasPrefix("*/") {
                        depth -= 1
                        rest = rest.dropFirst(2)
                    } else {
                        rest = rest.dropFirst()
                    }
                } while depth > 0 && !rest.isEmpty
            } else if !isInName, let mark = rest.prefixMatch(of: /\$(?:[A-Za-z_][A-Za-z_0-9]*)?\$/) {
                rest = rest.dropFirst(mark.0.count)
                skip(past: String(mark.0))
            } else if !isInName, rest.hasPrefix("E'") || rest.hasPrefix("e'") {
                rest = rest.dropFirst(2)
                while let character = rest.popFirst(), character != "'" {
                    if character == "\\" { rest = rest.dropFirst() }
                }
            } else if character == "'" || character == "\"" {
                rest = rest.dropFirst()
                skip(past: String(character))
            } else {
                rest = rest.dropFirst()
            }
        }
        return sql.endIndex
    }

    private static func isPartOfName(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_" || character == "$"
    }
}
