extension String {
    /// The text with control characters escaped (`\n`, `\u{1B}`), safe to print within one line.
    ///
    /// For names and cells from outside, which could otherwise break a line or control a terminal.
    package var visible: String { escaped { _ in false } }

    /// The text with control characters other than line feeds and tabs escaped, for multi-line text.
    package var visibleLines: String { escaped { $0 == "\n" || $0 == "\t" } }

    private func escaped(but isLeft: (Unicode.Scalar) -> Bool) -> String {
        func isHidden(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.value {
            // C0, DEL and C1; marks and overrides of the direction of writing; separators of lines.
            case 0...0x1F, 0x7F...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: !isLeft(scalar)
            default: false
            }
        }
        guard unicodeScalars.contains(where: isHidden) else { return self }
        var text = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            guard isHidden(scalar) else {
                text.append(scalar)
                continue
            }
            let escape =
                switch scalar {
                case "\n": "\\n"
                case "\r": "\\r"
                case "\t": "\\t"
                default: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
                }
            text.append(contentsOf: escape.unicodeScalars)
        }
        return String(text)
    }
}
