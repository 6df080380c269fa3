// What the columns of a query come from, and since when what they say is known.
//
// Every row that a query reads has symbols: one for each column, standing for the value in that row. A moment is a
// symbol and a distance from it. Conditions (WHERE, ON, frames of windows) become facts: one symbol is not after
// another. A cell is known by a moment; it may stand in a feature if the facts show that this moment is not after
// the moment of prediction.

/// The value of a symbol, moved by a distance (microseconds, or plain steps for whole numbers).
package struct SymbolicTime: Hashable, Sendable {
    package var symbol: Int
    package var shift: Int64

    package init(_ symbol: Int, _ shift: Int64 = 0) {
        self.symbol = symbol
        self.shift = shift
    }

    /// Stands for 1970-01-01: moments that a query writes out are at a distance from it.
    package static let origin = 0
}

/// In every row of a relation, `low` is not after `high + shift`.
package struct OrderConstraint: Hashable, Sendable {
    package var low: Int
    package var high: Int
    package var shift: Int64
    /// It is before, not only not after.
    package var isStrict: Bool
    /// It is the same: the converse holds too.
    package var isEqual: Bool
    /// The outer joins on whose far side it holds: where one found no row, it says nothing.
    package var joins: Set<Int>
    package var presence: Presence

    /// What it says of whether the two are there at all. Where one is null, only this much holds.
    package enum Presence: Hashable, Sendable {
        /// Nothing.
        case open
        /// The low one is there wherever the high one is.
        case lowIfHigh
        /// The high one is there wherever the low one is.
        case highIfLow
        /// Both are there, or neither.
        case same
        /// Both are there: a condition on them was true, or was false, not null.
        case certain
    }

    package init(
        _ low: SymbolicTime, notAfter high: SymbolicTime, isStrict: Bool = false, isEqual: Bool = false,
        joins: Set<Int> = [],
        _ presence: Presence = .open
    ) {
        self.low = low.symbol
        self.high = high.symbol
        shift = high.shift.subtractingReportingOverflow(low.shift).partialValue
        self.isStrict = isStrict
        self.isEqual = isEqual
        self.joins = joins
        self.presence = presence
    }

    /// As it stands where the condition may have been null.
    package var opened: OrderConstraint {
        var copy = self
        if presence == .certain { copy.presence = .open }
        return copy
    }
}

/// Since when a value is known, as far as its row says.
package enum KnownSince: Hashable, Sendable {
    case always
    /// Not later than any one of these.
    case by(Set<SymbolicTime>)
    /// At no moment that the query bounds.
    case never
}

/// A column of a source, or (without a name) that a row of it exists.
package struct SourceColumn: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var table: TableName
    package var column: String?

    package init(_ table: TableName, _ column: String?) {
        self.table = table
        self.column = column
    }

    package var description: String { column.map { "\(table).\($0)" } ?? "rows of \(table)" }

    package static func < (a: SourceColumn, b: SourceColumn) -> Bool {
        (a.table, a.column ?? "") < (b.table, b.column ?? "")
    }
}

/// A step on the way of a value, from the feature back to its source.
package struct LineageStep: Hashable, Sendable {
    /// "silver.history.d", "recent.d" for a common table expression.
    package var name: String
    package var file: String?
    package var line: Int?

    package init(_ name: String, file: String? = nil, line: Int? = nil) {
        self.name = name
        self.file = file
        self.line = line
    }
}

/// One thing that a value depends on.
package struct Dependency: Hashable, Sendable {
    package var origin: SourceColumn
    package var known: KnownSince
    /// What the contract says of the column.
    package var availability: Availability
    /// Only whether there is a value, not which one.
    package var isPresence = false
    /// Only by being in a row that exists when it does: nothing was chosen or counted by it.
    package var isWeak = false
    /// By whether an outer join found a row, not by what the row says.
    package var isControl = false
    /// The way back, nearest first, the source itself not included.
    package var trail: [LineageStep] = []
    /// Where and why the moment was lost from sight.
    package var loss: String?
    /// A column that would bound the moment if it could not be null; empty: a value without a name.
    package var mayBeEmpty: String?

    package init(_ origin: SourceColumn, _ known: KnownSince, _ availability: Availability) {
        self.origin = origin
        self.known = known
        self.availability = availability
    }

    /// Two that say the same but for the way they came.
    struct Identity: Hashable {
        var origin: SourceColumn
        var known: KnownSince
        var isPresence: Bool
        var isWeak: Bool
    }

    var identity: Identity { Identity(origin: origin, known: known, isPresence: isPresence, isWeak: isWeak) }
}

extension [Dependency] {
    /// Each once; of several ways the first is kept.
    package var unique: [Dependency] {
        var seen: Set<Dependency.Identity> = []
        return filter { seen.insert($0.identity).inserted }
    }

    package func adding(step: LineageStep) -> [Dependency] {
        map {
            var copy = $0
            // A long chain of common table expressions is told by its ends.
            if copy.trail.count < 24 { copy.trail.insert(step, at: 0) }
            return copy
        }
    }

    package var strong: [Dependency] {
        map {
            var copy = $0
            copy.isWeak = false
            return copy
        }
    }

    /// The existence of rows as seen from a value made of it. Whether a label that nobody has dated is there at all
    /// says nothing about it.
    package var attached: [Dependency] { filter { !($0.isPresence && $0.known == .never) } }
}

/// What an expression gives.
package struct LineageValue: Sendable {
    /// A value written in the query.
    package enum Constant: Hashable, Sendable {
        case text(String)
        /// Numbers, and distances of time in microseconds.
        case number(Double)
        case null
    }

    package var dependencies: [Dependency] = []
    /// The value is this moment.
    package var moment: SymbolicTime?
    /// What one step of a number is in microseconds: `epoch(x)` counts seconds.
    package var unit: Int64 = 1
    /// The value counts the way from one moment to another.
    package var span: TimeSpan?
    /// What holds of the row if the value is true, and if it is false.
    package var whenTrue: [OrderConstraint] = []
    package var whenFalse: [OrderConstraint] = []
    /// What holds of the row if the value is true or null, and if it is false or null.
    package var unlessFalse: [OrderConstraint] = []
    package var unlessTrue: [OrderConstraint] = []
    /// Members of a struct.
    package var fields: [String: LineageValue] = [:]
    package var constant: Constant?

    package init(_ dependencies: [Dependency] = [], moment: SymbolicTime? = nil) {
        self.dependencies = dependencies
        self.moment = moment
    }

    func renamed(_ names: Renaming) -> LineageValue {
        var copy = self
        copy.dependencies = names(dependencies)
        copy.moment = moment.map { names($0) }
        if let span {
            copy.span?.low = names(span.low)
            copy.span?.high = names(span.high)
        }
        copy.whenTrue = whenTrue.map { names($0) }
        copy.whenFalse = whenFalse.map { names($0) }
        copy.unlessFalse = unlessFalse.map { names($0) }
        copy.unlessTrue = unlessTrue.map { names($0) }
        copy.fields = fields.mapValues { $0.renamed(names) }
        return copy
    }
}

/// New names for the symbols of a relation that is read a second time: other rows, other values.
package struct Renaming {
    var symbols: [Int: Int] = [:]
    var joins: [Int: Int] = [:]

    package func callAsFunction(_ symbol: Int) -> Int { symbols[symbol] ?? symbol }
    package func callAsFunction(_ moment: SymbolicTime) -> SymbolicTime {
        SymbolicTime(self(moment.symbol), moment.shift)
    }

    package func callAsFunction(_ fact: OrderConstraint) -> OrderConstraint {
        var copy = fact
        copy.low = self(fact.low)
        copy.high = self(fact.high)
        copy.joins = Set(fact.joins.map { joins[$0] ?? $0 })
        return copy
    }

    package func callAsFunction(_ dependencies: [Dependency]) -> [Dependency] {
        dependencies.map {
            guard case .by(let moments) = $0.known else { return $0 }
            var copy = $0
            copy.known = .by(Set(moments.map { self($0) }))
            return copy
        }
    }

    package func callAsFunction(_ value: LineageValue) -> LineageValue { value.renamed(self) }
}

/// Symbols and other numbers that are new each time.
package final class SymbolSource {
    private var last = SymbolicTime.origin

    package init() {}

    package func next() -> Int {
        last += 1
        return last
    }
}
