// What the columns of a query come from, and since when what they say is known.
//
// Every row that a query reads has symbols: one for each column, standing for the value in that row. A moment is a
// symbol and a distance from it. Conditions (WHERE, ON, frames of windows) become facts: one symbol is not after
// another. A cell is known by a moment; it may stand in a feature if the facts show that this moment is not after
// the moment of prediction.

/// A symbolic point in time: a symbol's value plus an offset (microseconds, or steps for integers).
package struct SymbolicTime: Hashable, Sendable {
    /// Number of the symbol from a ``SymbolSource``; ``origin`` for a literal time.
    package var symbol: Int
    /// Offset added to the symbol's value: microseconds, or steps for integers.
    package var shift: Int64

    package init(_ symbol: Int, _ shift: Int64 = 0) {
        self.symbol = symbol
        self.shift = shift
    }

    /// The symbol for 1970-01-01, from which literal times in a query are offsets.
    package static let origin = 0
}

/// A known order of two symbolic times: in every row of a relation, `low` is not after `high + shift`.
package struct OrderConstraint: Hashable, Sendable {
    /// Symbol of the earlier time.
    package var low: Int
    /// Symbol of the later time.
    package var high: Int
    /// Offset added to `high`, in microseconds.
    package var shift: Int64
    /// Whether `low` is strictly before.
    package var isStrict: Bool
    /// Whether both are equal, so that the converse holds too.
    package var isEqual: Bool
    /// Outer joins on whose optional side it holds; where one of them found no row, it does not apply.
    package var joins: Set<Int>
    /// What is known about the two being null.
    package var presence: Presence

    /// What an order constraint implies about its two times being null.
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

    /// The constraint weakened for conditions that may have been null.
    package var opened: OrderConstraint {
        var copy = self
        if presence == .certain { copy.presence = .open }
        return copy
    }
}

/// From when a value is known, relative to the times in its row.
package enum KnownSince: Hashable, Sendable {
    case always
    /// Not later than any one of these.
    case by(Set<SymbolicTime>)
    /// At no moment that the query bounds.
    case never
}

/// A column of a source or, without a name, the existence of its rows.
package struct SourceColumn: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Table of the source, in the bronze layer.
    package var table: TableName
    /// Name of the column; `nil` for the existence of the table's rows.
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

/// One step on the path of a value from a feature back to its source.
package struct LineageStep: Hashable, Sendable {
    /// Name of the step: "silver.history.d", "recent.d" for a common table expression.
    package var name: String
    /// Path of the SQL file in which the step stands; `nil` when unknown.
    package var file: String?
    /// Line in the file, from 1; `nil` for a step that is not one expression, such as the choice of rows.
    package var line: Int?

    package init(_ name: String, file: String? = nil, line: Int? = nil) {
        self.name = name
        self.file = file
        self.line = line
    }
}

/// One source column, or existence of rows, that a value depends on, and when it is known.
package struct Dependency: Hashable, Sendable {
    /// The source column.
    package var origin: SourceColumn
    /// From when the value is known.
    package var known: KnownSince
    /// The contract's rule for when the column is known.
    package var availability: Availability
    /// Whether only the existence of a value matters, not which one it is.
    package var isPresence = false
    /// Whether the dependency is only being in a row that exists when it does: nothing was filtered or counted by it.
    package var isWeak = false
    /// Whether it depends only on whether an outer join found a row, not on its content.
    package var isControl = false
    /// Path back to the source, nearest step first, the source itself not included.
    package var trail: [LineageStep] = []
    /// Where and why the time could not be traced any further.
    package var loss: String?
    /// Column that would bound the time if it could not be null; empty: a value without a name.
    package var mayBeEmpty: String?

    package init(_ origin: SourceColumn, _ known: KnownSince, _ availability: Availability) {
        self.origin = origin
        self.known = known
        self.availability = availability
    }

    /// Key under which two dependencies are equal apart from their paths.
    struct Identity: Hashable {
        var origin: SourceColumn
        var known: KnownSince
        var isPresence: Bool
        var isWeak: Bool
    }

    var identity: Identity { Identity(origin: origin, known: known, isPresence: isPresence, isWeak: isWeak) }
}

extension [Dependency] {
    /// The dependencies without duplicates; of several paths the first is kept.
    package var unique: [Dependency] {
        var seen: Set<Dependency.Identity> = []
        return filter { seen.insert($0.identity).inserted }
    }

    /// The dependencies with a step added to the path of each.
    package func adding(step: LineageStep) -> [Dependency] {
        map {
            var copy = $0
            // A long chain of common table expressions is told by its ends.
            if copy.trail.count < 24 { copy.trail.insert(step, at: 0) }
            return copy
        }
    }

    /// The dependencies that are not weak.
    package var strong: [Dependency] {
        map {
            var copy = $0
            copy.isWeak = false
            return copy
        }
    }

    /// The dependencies without the existence of undated labels.
    ///
    /// Whether a label that nobody has dated exists at all says nothing about a value made of its row.
    package var attached: [Dependency] { filter { !($0.isPresence && $0.known == .never) } }
}

/// The result of the analysis of an expression: dependencies, times and constraints.
package struct LineageValue: Sendable {
    /// A literal in the query.
    package enum Constant: Hashable, Sendable {
        case text(String)
        /// Numbers, and distances of time in microseconds.
        case number(Double)
        case null
    }

    /// The source columns, and existence of rows, that the value depends on.
    package var dependencies: [Dependency] = []
    /// The symbolic time that the value equals.
    package var moment: SymbolicTime?
    /// Microseconds of one step of a number: `epoch(x)` counts seconds.
    package var unit: Int64 = 1
    /// The interval between two times that the value measures.
    package var span: TimeSpan?
    /// Constraints that hold if the value is true.
    package var whenTrue: [OrderConstraint] = []
    /// Constraints that hold if the value is false.
    package var whenFalse: [OrderConstraint] = []
    /// Constraints that hold if the value is true or null.
    package var unlessFalse: [OrderConstraint] = []
    /// Constraints that hold if the value is false or null.
    package var unlessTrue: [OrderConstraint] = []
    /// Members of a struct.
    package var fields: [String: LineageValue] = [:]
    /// The literal that the value is; `nil` when it is none, or one that was cast to a time.
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

/// Mapping to new symbols for a relation that is read a second time, with other rows and values.
package struct Renaming {
    var symbols: [Int: Int] = [:]
    var joins: [Int: Int] = [:]

    /// Returns the new name of a symbol; itself when it has none.
    package func callAsFunction(_ symbol: Int) -> Int { symbols[symbol] ?? symbol }
    /// Returns the time with its symbol renamed.
    package func callAsFunction(_ moment: SymbolicTime) -> SymbolicTime {
        SymbolicTime(self(moment.symbol), moment.shift)
    }

    /// Returns the constraint with its symbols renamed.
    package func callAsFunction(_ fact: OrderConstraint) -> OrderConstraint {
        var copy = fact
        copy.low = self(fact.low)
        copy.high = self(fact.high)
        copy.joins = Set(fact.joins.map { joins[$0] ?? $0 })
        return copy
    }

    /// Returns the dependencies with their symbols renamed.
    package func callAsFunction(_ dependencies: [Dependency]) -> [Dependency] {
        dependencies.map {
            guard case .by(let moments) = $0.known else { return $0 }
            var copy = $0
            copy.known = .by(Set(moments.map { self($0) }))
            return copy
        }
    }

    /// Returns the value with its symbols renamed.
    package func callAsFunction(_ value: LineageValue) -> LineageValue { value.renamed(self) }
}

/// Generator of unique symbol numbers for one analysis.
///
/// ```swift
/// let symbols = SymbolSource()
/// let rows = SourceSchema.rows(of: source, symbols)
/// ```
package final class SymbolSource {
    private var last = SymbolicTime.origin

    package init() {}

    /// Returns a number that was not returned before.
    package func next() -> Int {
        last += 1
        return last
    }
}
