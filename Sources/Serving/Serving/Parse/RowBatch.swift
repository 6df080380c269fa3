internal import Core
internal import Training

/// Encoded feature rows parsed from a request body, with their faults and warnings; reused between requests.
///
/// Used by one thread at a time. A cell that nothing was put into yet holds a NaN of its own, which no input can give.
package final class RowBatch {
    /// The most faults that are reported for one body, and the most warnings.
    static let mostFaults = 20

    // Used by one thread at a time, and no access to these goes on while another does.
    @exclusivity(unchecked) private(set) var schema: RowSchema
    /// The buffer of encoded values, `schema.width` a row.
    @exclusivity(unchecked) package private(set) var values: UnsafeMutableBufferPointer<Double>
    /// Number of rows.
    @exclusivity(unchecked) package private(set) var count = 0
    /// Faults for which the whole body is rejected.
    package private(set) var faults: [InputFault] = []
    /// Warnings about values, up to a limit.
    package private(set) var warnings: [InputFault] = []
    /// Number of warnings beyond those kept.
    package private(set) var furtherWarnings = 0
    /// Whether faults are kept by row instead of rejecting the whole body, as for batches.
    package var isByRow = false
    /// The first fault of each bad row, in order, with the line that the row begins with.
    ///
    /// The path of a fault of the whole row is empty: what numbers rows and lines reports it.
    package private(set) var rowFaults: [(row: Int, line: Int, fault: InputFault)] = []
    /// Codes of each row's own warnings; rows behind the last one that has any are left out.
    private var rowWarnings: [InputFault.Codes] = []
    /// Codes of warnings about all rows, such as an unknown column that is named once for them all.
    private var bodyWarnings: InputFault.Codes = []
    /// Names of copied columns, which do not count as unknown.
    package var known: Set<String> = []
    /// Entity of each row, where the rows name one.
    @exclusivity(unchecked) package private(set) var entities: [String?] = []
    var place = RowPlace.lines
    /// The line of CSV that the row begins with, from 1.
    @exclusivity(unchecked) var line = 1
    /// Columns that were seen in the body although the model does not have them.
    private var strangers: [String] = []

    /// Values whose memory is kept for the next body.
    private static let mostKept = 1 << 16

    private static let absent = Double(nan: 0x5EED, signaling: false)
    private static let absentBits = absent.bitPattern

    package init(_ schema: RowSchema) {
        self.schema = schema
        values = Self.memory(schema.width)
    }

    deinit { Self.free(values) }

    /// Removes all rows and prepares for rows of another schema.
    package func reset(_ schema: RowSchema) {
        self.schema = schema
        count = 0
        if !faults.isEmpty { faults = [] }
        if !warnings.isEmpty { warnings = [] }
        if !entities.isEmpty { entities.removeAll(keepingCapacity: true) }
        if !strangers.isEmpty { strangers = [] }
        if !order.isEmpty { order = [] }
        line = 1
        if !rowFaults.isEmpty { rowFaults.removeAll(keepingCapacity: true) }
        if !rowWarnings.isEmpty { rowWarnings.removeAll(keepingCapacity: true) }
        bodyWarnings = []
        furtherWarnings = 0
        // A large body does not keep its memory for ever.
        if values.count > Self.mostKept || values.count < schema.width {
            Self.free(values)
            values = Self.memory(schema.width)
        }
    }

    /// The rows, `schema.width` values each.
    package var rows: UnsafeBufferPointer<Double> { UnsafeBufferPointer(rebasing: values[..<(count * schema.width)]) }

    /// The encoded values of one row.
    package func row(_ index: Int) -> UnsafeBufferPointer<Double> {
        UnsafeBufferPointer(rebasing: values[(index * schema.width)..<((index + 1) * schema.width)])
    }

    private static func memory(_ capacity: Int, in old: UnsafeMutableRawPointer? = nil)
        -> UnsafeMutableBufferPointer<Double>
    {
        let count = max(1, capacity)
        let bytes = count * MemoryLayout<Double>.stride
        let memory = old.map { HeapMemory.resize($0, bytes: bytes) } ?? HeapMemory.allocate(bytes: bytes)
        return UnsafeMutableBufferPointer(start: memory.bindMemory(to: Double.self, capacity: count), count: count)
    }

    private static func free(_ values: UnsafeMutableBufferPointer<Double>) {
        if let base = values.baseAddress { HeapMemory.free(base) }
    }

    private func grow(_ capacity: Int) { values = Self.memory(capacity, in: values.baseAddress) }

    /// Gives back the memory of rows that are not read again, where there are many.
    func discard(before row: Int) {
        guard values.count > Self.mostKept, let base = values.baseAddress else { return }
        HeapMemory.discard(from: base, to: base + row * schema.width)
    }

    /// Makes room for a further row, all of whose columns are absent. Gives where its values begin.
    @inline(__always)
    func begin() -> Int {
        let start = count &* schema.width
        if start &+ schema.width > values.count { grow(max(values.count &* 2, start &+ schema.width)) }
        for index in start..<(start &+ schema.width) { values[index] = Self.absent }
        count &+= 1
        return start
    }

    /// Makes room for so many rows at once, where columns come one after the other.
    func begin(rows: Int) {
        if rows * schema.width > values.count { grow(rows * schema.width) }
        count = rows
        values.update(repeating: Self.absent)
    }

    /// The codes of the warnings about a row, each once.
    package func warnings(ofRow row: Int) -> InputFault.Codes {
        row < rowWarnings.count ? rowWarnings[row].union(bodyWarnings) : bodyWarnings
    }

    /// After a row's last value: absent columns are found and reported.
    /// - Parameter seen: how many columns were put in; if all, nothing is looked for.
    @inline(__always)
    func end(_ start: Int, seen: Int) {
        if seen != schema.width { findAbsent(start) }
    }

    @inline(never)
    func findAbsent(_ start: Int) {
        let row = schema.width == 0 ? 0 : start / schema.width
        for (place, column) in schema.columns.enumerated() where values[start + place].bitPattern == Self.absentBits {
            values[start + place] = column.missing
            react(
                column.policy.missingColumn, .missingColumn, row: row, path(row, column.name, place),
                "The column \(column.name) is missing.")
        }
    }

    /// After the last value of a row that is refused as a whole: absent columns are missing, without a word.
    func fill(_ start: Int) {
        for (place, column) in schema.columns.enumerated() where values[start + place].bitPattern == Self.absentBits {
            values[start + place] = column.missing
        }
    }

    /// Absent columns of a body without a row: a body that leaves one out is as wrong as one with rows.
    @inline(never)
    func findAbsent(besides names: [String]) {
        for (place, column) in schema.columns.enumerated() where !names.contains(column.name) {
            react(
                column.policy.missingColumn, .missingColumn, row: nil, path(0, column.name, place),
                "The column \(column.name) is missing.")
        }
    }

    // MARK: Cells

    /// Puts a number into a column. `cell` is the row's start and the column's place together.
    @inline(__always)
    func put(_ value: Double, _ column: Int, _ cell: Int) {
        if values[cell].bitPattern != Self.absentBits { return repeated(column, cell) }
        let about = schema.columns[column]
        values[cell] = value
        if about.isCategory { return put(number: value, category: column, cell) }
        if value < about.minimum || value > about.maximum { outOfRange(value, column, cell) }
    }

    @inline(__always)
    func putMissing(_ column: Int, _ cell: Int) {
        if values[cell].bitPattern != Self.absentBits { return repeated(column, cell) }
        values[cell] = schema.columns[column].missing
    }

    /// Puts a text into a column: a category's level, else a misfit.
    @inline(__always)
    func put(_ text: UnsafeRawBufferPointer, _ column: Int, _ cell: Int) {
        if values[cell].bitPattern != Self.absentBits { return repeated(column, cell) }
        guard schema.columns[column].isCategory else {
            return text.isEmpty && place == .tensors ? putMissing(column, cell) : putMisfit("a text", column, cell)
        }
        if let code = schema.columns[column].levels.find(text) {
            values[cell] = Double(code)
        } else if text.isEmpty, !place.isOwnForm {
            // As ingestion has it, whoever writes it: no text is no value. Martlet's own JSON has null for that.
            values[cell] = schema.columns[column].missing
        } else {
            unknownCategory(String(decoding: text, as: UTF8.self), column, cell)
        }
    }

    /// Something that is not what belongs into the column.
    @inline(never)
    func putMisfit(_ found: String, _ column: Int, _ cell: Int) {
        let about = schema.columns[column]
        if values[cell].bitPattern != Self.absentBits { return repeated(column, cell) }
        values[cell] = about.missing
        react(
            about.policy.wrongType, .wrongType, row: cell / schema.width,
            path(cell / schema.width, about.name, column),
            "\(about.name) is \(found); it should be a \(about.isCategory ? "category" : "number").")
    }

    /// Numbers that stand for categories: the level of the number as it would be written.
    @inline(never)
    private func put(number: Double, category column: Int, _ cell: Int) {
        let levels = schema.columns[column].levels
        var spellings = ["\(number)"]
        if let whole = Int64(exactly: number) { spellings.insert("\(whole)", at: 0) }
        for var spelling in spellings {
            if let code = spelling.withUTF8({ levels.find(UnsafeRawBufferPointer($0)) }) {
                values[cell] = Double(code)
                return
            }
        }
        unknownCategory(spellings[0], column, cell)
    }

    @inline(never)
    private func unknownCategory(_ level: String, _ column: Int, _ cell: Int) {
        let about = schema.columns[column]
        values[cell] = about.policy.unknownCategory == .missing ? about.missing : about.unknown
        react(
            about.policy.unknownCategory, .unknownCategory, row: cell / schema.width,
            path(cell / schema.width, about.name, column),
            "\(about.name) has the category \"\(Self.shown(level))\", which the model was not trained on.")
    }

    @inline(never)
    private func outOfRange(_ value: Double, _ column: Int, _ cell: Int) {
        let about = schema.columns[column]
        if about.policy.outOfRange == .missing { values[cell] = about.missing }
        react(
            about.policy.outOfRange, .outOfRange, row: cell / schema.width,
            path(cell / schema.width, about.name, column),
            "\(about.name) is \(value), outside \(about.minimum) to \(about.maximum).")
    }

    @inline(never)
    private func repeated(_ column: Int, _ cell: Int) {
        let about = schema.columns[column]
        fail(
            InputFault(
                .repeatedColumn, at: path(cell / schema.width, about.name, column), "\(about.name) comes twice."))
    }

    /// A column that the model does not have; reported once a body.
    /// - Parameter row: the row that has it, or the first one where columns are named once for all rows.
    @inline(never)
    func stranger(_ name: String, row: Int) {
        if schema.unknownColumn == .missing || known.contains(name) { return }
        let ownRow = place.namesColumnsOnce ? nil : row
        if !isByRow {
            if strangers.contains(name) {
                if schema.unknownColumn == .warn { note(.unknownColumn, row: ownRow) }
                return
            }
            if strangers.count < Self.mostFaults { strangers.append(name) }
        }
        react(
            schema.unknownColumn, .unknownColumn, row: ownRow,
            place.path(row: row, column: name, place: 0, line: line),
            "The model has no column \(Self.shown(name)).")
    }

    /// Whom a row is about.
    /// - Parameter place: where that stands in a row that is a list.
    func note(entity: String?, row: Int, at place: Int = 0) {
        // Rows come in order, and a column's rows one after the other.
        if row < entities.count {
            let name = schema.entity ?? ""
            let path = self.place.path(row: row, column: name, place: place, line: line)
            return fail(InputFault(.repeatedColumn, at: path, "\(name) comes twice."))
        }
        if let entity, entity.utf8.count > Self.mostEntityBytes {
            return refuse(entity: "longer than \(Self.mostEntityBytes) bytes", row, place)
        }
        while entities.count <= row { entities.append(nil) }
        entities[row] = entity
    }

    /// The most bytes of the text that says whom a row is about.
    static let mostEntityBytes = 4_000

    func refuse(entity what: String, _ row: Int, _ place: Int) {
        let name = schema.entity ?? ""
        let path = self.place.path(row: row, column: name, place: place, line: line)
        fail(
            InputFault(
                .wrongType, at: path,
                "\(name) is \(what); it says whom the row is about: a text of at most \(Self.mostEntityBytes) bytes, or a number."
            ))
    }

    /// Of the body, or of the row that is read.
    func fail(_ fault: InputFault) {
        if isByRow {
            if hasGoodRow { rowFaults.append((count - 1, line, fault)) }
        } else if faults.count < Self.mostFaults {
            faults.append(fault)
        }
    }

    /// Of the row of CSV that is read, as a whole: that comes before what is wrong with a cell of it.
    func fail(line code: InputFault.Code, _ detail: String) {
        if isByRow, !hasGoodRow { rowFaults.removeLast() }
        fail(InputFault(code, at: isByRow ? "" : "row \(count), line \(line)", detail))
    }

    /// A further row that cannot be read: nothing is looked for in it.
    func spoiled(_ detail: String) {
        fill(begin())
        fail(line: .malformed, detail)
    }

    /// Whether no fault of the row that is read was found yet.
    private var hasGoodRow: Bool { rowFaults.last?.row != count - 1 }

    /// - Parameter row: whose value it is; `nil` for all rows.
    private func react(
        _ reaction: InputPolicy.Reaction, _ code: InputFault.Code, row: Int?, _ path: @autoclosure () -> String,
        _ detail: @autoclosure () -> String
    ) {
        switch reaction {
        case .missing: break
        case .reject where isByRow:
            if hasGoodRow { rowFaults.append((count - 1, line, InputFault(code, at: path(), detail()))) }
        case .reject: if faults.count < Self.mostFaults { faults.append(InputFault(code, at: path(), detail())) }
        case .warn:
            note(code, row: row)
            if isByRow { break }
            if warnings.count < Self.mostFaults {
                warnings.append(InputFault(code, at: path(), detail()))
            } else {
                furtherWarnings += 1
            }
        }
    }

    /// Notes the code of a warning for a row, or for all.
    private func note(_ code: InputFault.Code, row: Int?) {
        guard let row else { return bodyWarnings.formUnion(InputFault.Codes(code)) }
        while rowWarnings.count <= row { rowWarnings.append([]) }
        rowWarnings[row].formUnion(InputFault.Codes(code))
    }

    private func path(_ row: Int, _ column: String, _ place: Int) -> String {
        self.place.path(row: row, column: column, place: bodyPlace(place), line: line)
    }

    /// For bodies that know columns by place: the place of each of the model's columns in the body.
    var order: [Int] = []

    private func bodyPlace(_ column: Int) -> Int { column < order.count ? order[column] : column }

    static func shown(_ text: String) -> String { text.count > 60 ? "\(text.prefix(60))…" : text }
}
