internal import SQLLineage

// A source as it was known at a moment: rows by their time, cells that came later empty.

extension Contract {
    /// Returns SQL for a source's rows as they were known at a moment: later rows left out, later cells null.
    /// - Parameters:
    ///   - moment: a timestamp as SQL spells it, without quotes.
    ///   - rows: SQL for all rows of the source: a table's name, or a SELECT in parentheses.
    package func knownThen(_ moment: String, in rows: String) -> String {
        func by(_ column: String) -> String { "\(quoted(column)) <= '\(moment)'" }
        let awaited = Set(
            columns.compactMap { column -> String? in
                if case .at(let name)? = column.availability { return name }
                return nil
            })
        let cells = columns.map { column in
            let cell = quoted(column.name)
            switch column.availability {
            case .at(let later): return "CASE WHEN \(by(later)) THEN \(cell) END AS \(cell)"
            case .afterwards: return "CASE WHEN false THEN \(cell) END AS \(cell)"
            case .next(let entity):
                guard let event = eventTime else { return cell }
                return """
                    CASE WHEN lead(\(quoted(event))) OVER (PARTITION BY \(quoted(entity)) ORDER BY \(quoted(event))) \
                    <= '\(moment)' THEN \(cell) END AS \(cell)
                    """
            default:
                let waits = awaited.contains(column.name) && column.name != eventTime
                return waits ? "CASE WHEN \(by(column.name)) THEN \(cell) END AS \(cell)" : cell
            }
        }
        let list = (cells + ["_file", "_row"]).joined(separator: ", ")
        guard let filter = (availableAt ?? eventTime).map(by) else { return "SELECT \(list) FROM \(rows)" }
        // The whole source is looked at for what came next; then the rows of later moments go.
        let known = quoted("known then")
        return "SELECT * EXCLUDE (\(known)) FROM (SELECT \(list), \(filter) AS \(known) FROM \(rows)) WHERE \(known)"
    }

    /// The columns whose values become known later than their row.
    package var laterColumns: [Column] {
        let awaited = Set(
            columns.compactMap { column -> String? in
                if case .at(let name)? = column.availability { return name }
                return nil
            })
        return columns.filter {
            $0.availability?.isLater == true || (awaited.contains($0.name) && $0.name != eventTime)
        }
    }
}

private func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }
