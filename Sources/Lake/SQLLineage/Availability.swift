/// When a cell of a source becomes known.
package enum Availability: Hashable, Sendable {
    /// Master data, which no moment belongs to.
    case always
    /// With its row, from the moment in this column on.
    case row(String)
    /// Later than its row: from the moment in this column of the same row on.
    case at(String)
    /// Later than its row, at a moment that nobody wrote down: never when the row is to be predicted.
    case afterwards
    /// When the next row of the same entity happens: what a stay led to is known at the next one.
    case next(of: String)

    /// Parses the `available_at` of a column.
    package init(_ text: String) {
        if text == "afterwards" {
            self = .afterwards
        } else if text.hasPrefix("next ") {
            self = .next(of: String(text.dropFirst(5)).trimmed)
        } else {
            self = .at(text)
        }
    }

    /// Whether the cell is known later than its row.
    package var isLater: Bool {
        switch self {
        case .always, .row: false
        case .at, .afterwards, .next: true
        }
    }

    /// The rule as words for messages.
    package var sentence: String {
        switch self {
        case .always: "known at any time"
        case .row(let column): "known from \(column) of its row on"
        case .at(let column): "known only at \(column)"
        case .afterwards: "known only afterwards"
        case .next(let entity): "known only when the next row of the same \(entity) happens"
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
