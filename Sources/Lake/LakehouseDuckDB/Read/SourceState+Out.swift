internal import DuckDB
internal import Lakehouse
internal import SQLLineage

// The rows that a record sees.

/// Moment and values of a record that decide which rows it sees.
struct RecordView {
    /// As SQL spells it, and as a number.
    let moment: String
    let time: Int64
    let eventType: ColumnType
    /// For each source, the hashes in its columns that rows are chosen by.
    let chosen: [String: [Int64]]
}

extension SourceState {
    /// Hands over the rows that were known at the record's moment, cells that came later empty.
    /// - Parameter isRestricted: only those that the plan says matter.
    func hand(to view: RecordView, isRestricted: Bool) throws {
        let contract = source.contract
        let picked = RowStore(like: store.rows(), columns: width)
        let wanted = isRestricted && !source.same.isEmpty ? view.chosen[contract.source] : nil
        let isPlain = isPlain(for: view)
        let window = isPlain ? window(view, isRestricted: isRestricted) : nil

        let stateRows = candidates(wanted, window)
        picked.append(store, stateRows)
        var overlayRows: [Int] = []
        if let call {
            let isIn = lies(in: window, call.index)
            overlayRows = overlay.filter { row in
                isIn(row)
                    && (wanted.map { zip($0, call.index.same).contains { $0 == $1[row] } } ?? true)
            }
            picked.append(call.rows, overlayRows)
            complete(overlayRows, call.rows, in: picked, from: stateRows.count)
        }
        guard isPlain else {
            let all = "all \(contract.source)"
            handed.put(picked.rows(), as: all)
            let sql = contract.knownThen(view.moment, in: "_martlet_rows(\(Quote.text(all)))")
            handed.put(try connection.query(sql).kept(), as: contract.source)
            return handed.put(nil, as: all)
        }
        hide(view.time, of: stateRows, index, in: picked, from: 0)
        if let call { hide(view.time, of: overlayRows, call.index, in: picked, from: stateRows.count) }
        handed.put(picked.rows(), as: contract.source)
    }

    /// All rows, as they lie.
    func handAll() { handed.put(store.rows(), as: source.contract.source) }

    /// Whether numbers say what was known; else SQL does, by ``Contract/knownThen(_:in:)``.
    private func isPlain(for view: RecordView) -> Bool {
        let contract = source.contract
        let types = Dictionary(contract.columns.map { ($0.name, $0.type) }) { first, _ in first }
        return index.plan.moments.allSatisfy { types[$0].map { IndexPlan.areAlike($0, view.eventType) } ?? false }
            && !contract.columns.contains { column in
                if case .next? = column.availability { true } else { false }
            }
    }

    private struct Window {
        let event: Int?
        let available: Int?
        let from: Int64
        let to: Int64
    }

    private func window(_ view: RecordView, isRestricted: Bool) -> Window {
        let contract = source.contract
        var from = Int64.min
        if isRestricted, let lookback = source.lookback, let event = contract.eventTime,
            let type = contract.columns.first(where: { $0.name == event })?.type, type == .timestamp || type == .date
        {
            from = view.time - Int64(lookback) * 1_000_000
            let day: Int64 = 86_400_000_000
            // A day counts from its beginning.
            if type == .date { from = (from >= 0 ? from / day : (from - day + 1) / day) * day }
        }
        return Window(
            event: contract.eventTime.flatMap { index.moment($0) },
            available: contract.availableAt.flatMap { index.moment($0) }, from: from, to: view.time)
    }

    /// Tells of rows, by their number, whether they lie in the window. Of a common value most of a table is asked for in
    /// each call, so that nothing is looked up for each.
    private func lies(in window: Window?, _ index: RowIndex) -> (Int) -> Bool {
        guard let window else { return { _ in true } }
        let events = window.event.map { index.moments[$0] }
        let available = window.available.map { index.moments[$0] }
        return { place in
            if let time = events?[place], time > window.to || time < window.from { return false }
            if let time = available?[place], time > window.to { return false }
            return true
        }
    }

    /// Rows of the state that agree in one of the columns and lie in the window, in order.
    /// - Parameter wanted: a value for each of the columns; `nil` for rows with any.
    private func candidates(_ wanted: [Int64]?, _ window: Window?) -> [Int] {
        let isIn = lies(in: window, index)
        func inWindow(_ places: some Sequence<Int32>) -> [Int] {
            var found: [Int] = []
            for place in places where isIn(Int(place)) { found.append(Int(place)) }
            return found
        }
        let found =
            if let wanted { zip(wanted, places).compactMap { $1[$0].map(inWindow) }.reduce([], Self.union) } else {
                inWindow(0..<Int32(store.count))
            }
        return hidden.isEmpty ? found : found.filter { !hidden.contains($0) }
    }

    /// The numbers of two rising lists, rising, each once.
    private static func union(_ one: [Int], _ other: [Int]) -> [Int] {
        if one.isEmpty { return other }
        if other.isEmpty { return one }
        var all: [Int] = []
        all.reserveCapacity(one.count + other.count)
        var (left, right) = (0, 0)
        while left < one.count, right < other.count {
            let (low, high) = (one[left], other[right])
            all.append(min(low, high))
            if low <= high { left += 1 }
            if high <= low { right += 1 }
        }
        return all + one[left...] + other[right...]
    }

    /// Fills cells that the request leaves out, and that came later, from the row that it sends again.
    private func complete(_ rows: [Int], _ sent: RetainedRows, in picked: RowStore, from start: Int) {
        for (offset, row) in rows.enumerated() {
            guard let place = twins[row] else { continue }
            for column in later where sent.isNull(column, row) && !store.isNull(column, place) {
                picked.set(column, start + offset, to: store.rows(), place)
            }
        }
    }

    /// Empties the cells that were not known yet.
    private func hide(_ time: Int64, of rows: [Int], _ index: RowIndex, in picked: RowStore, from start: Int) {
        let contract = source.contract
        let late = Set(contract.laterColumns.map(\.name))
        for (place, column) in contract.columns.enumerated() where late.contains(column.name) {
            var moment: [Int64]?
            switch column.availability {
            case .afterwards: moment = nil
            case .at(let name): moment = index.moment(name).map { index.moments[$0] }
            default: moment = index.moment(column.name).map { index.moments[$0] }
            }
            for (offset, row) in rows.enumerated() where moment.map({ $0[row] > time }) ?? true {
                picked.setNull(place, start + offset)
            }
        }
    }
}
