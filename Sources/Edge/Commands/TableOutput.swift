internal import Core
internal import Lakehouse

/// Prints rows of texts as a table or as JSON.
enum TableOutput {
    static func print(_ table: TextTable, json: Bool) throws {
        if json {
            let names = distinct(table.names)
            let isNumber = table.types.map { type in
                ["bigint", "integer", "smallint", "tinyint", "double", "float", "hugeint"].contains(type)
            }
            return try Output.json(
                table.rows.map { row in
                    JSONValue.object(
                        Dictionary(
                            zip(names, zip(row, isNumber)).map { name, cell in
                                (name, value(cell.0, isNumber: cell.1))
                            }, uniquingKeysWith: { first, _ in first }))
                })
        }
        var grid = TextGrid(header: table.names)
        grid.rows = table.rows.map { $0.map { cell in cell.map { $0.count > 60 ? $0.prefix(59) + "…" : $0 } ?? "–" } }
        Output.print(grid.text)
    }

    /// A name that comes again gets a number, as DuckDB gives it: a, a_1, a_2.
    private static func distinct(_ names: [String]) -> [String] {
        var taken = Set(names)
        var seen: Set<String> = []
        return names.map { name in
            guard !seen.insert(name).inserted else { return name }
            let free = (1...).lazy.map { "\(name)_\($0)" }.first { !taken.contains($0) } ?? name
            taken.insert(free)
            return free
        }
    }

    private static func value(_ text: String?, isNumber: Bool) -> JSONValue {
        guard let text else { return .null }
        guard isNumber else { return text == "true" ? .flag(true) : text == "false" ? .flag(false) : .text(text) }
        if let whole = Int64(text) { return .integer(whole) }
        return Double(text).flatMap { $0.isFinite ? .number($0) : nil } ?? .text(text)
    }
}
