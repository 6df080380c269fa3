internal import CLibrary
internal import Composition
internal import Core
internal import Workflow

/// Writes results to stdout, progress and errors to stderr.
enum Output {
    /// What a terminal would obey is shown as an escape: names of files and cells come from outside.
    static func print(_ text: String) { write(text.visibleLines + "\n", to: 1) }
    static func note(_ text: String) { write(text.visibleLines + "\n", to: 2) }
    static func error(_ error: MartletError) {
        write((errorIsColourful ? "\u{1B}[31merror:\u{1B}[0m" : "error:") + " \(error)".visibleLines + "\n", to: 2)
    }
    static func raw(_ text: String, to file: Int32) { write(text, to: file) }
    /// A result that must arrive; `false` when nobody reads any more.
    static func deliver(_ text: String) -> Bool { write(text, to: 1) }

    static func json(_ value: some Encodable) throws {
        write(try JSON.text(value, pretty: true) + "\n", to: 1)
    }

    /// Says on standard error that a list was cut off, and how much of it is missing.
    static func cut(shown: Int, of all: Int, _ things: String) {
        guard shown < all else { return }
        note(
            "\(grouped(shown)) of \(grouped(all)) \(things); \(grouped(all - shown)) are not shown. --limit shows more."
        )
    }

    static var errorIsTerminal: Bool { isatty(2) == 1 }
    /// Colour is for terminals that have it, unless NO_COLOR is set to anything (https://no-color.org).
    static var errorIsColourful: Bool {
        errorIsTerminal && SystemPlatform.environment("NO_COLOR") == nil && SystemPlatform.environment("TERM") != "dumb"
    }

    @discardableResult
    private static func write(_ text: String, to file: Int32) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { CLibrary.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }
}

/// Formats a table with aligned columns, numbers to the right.
struct TextGrid {
    var header: [String]
    var rows: [[String]] = []

    init(_ header: String...) { self.header = header }
    init(header: [String]) { self.header = header }

    var text: String {
        let rows = rows.map { $0.map(\.visible) }
        let all = [header.map(\.visible)] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        let isNumeric = header.indices.map { column in
            !rows.isEmpty && rows.allSatisfy { $0[column].isEmpty || $0[column] == "–" || looksNumeric($0[column]) }
        }
        return all.map { row in
            let cells = row.enumerated().map { column, cell in
                let gap = String(repeating: " ", count: widths[column] - cell.count)
                return isNumeric[column] ? gap + cell : cell + gap
            }
            var line = cells.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }

    private func looksNumeric(_ text: String) -> Bool {
        text.contains(where: \.isNumber) && text.allSatisfy { $0.isNumber || "+-.,% e".contains($0) }
    }
}
