internal import JSONText

/// Parses rows from JSON into a batch; shared by all JSON forms.
struct JSONRows {
    typealias Fault = JSONScanner.Fault

    let batch: RowBatch
    let schema: RowSchema
    /// The most rows a body may have.
    let mostRows: Int

    init(_ batch: RowBatch, mostRows: Int) {
        self.batch = batch
        schema = batch.schema
        self.mostRows = mostRows
    }

    /// One row as an object.
    @inline(__always)
    func object(_ scanner: inout JSONScanner) throws(Fault) {
        try scanner.expect(UInt8(ascii: "{"), "an object, one row of named values,")
        let start = batch.begin()
        var seen = 0
        if !scanner.take(UInt8(ascii: "}")) {
            var hint = 0
            repeat {
                let key = try scanner.key()
                if !key.hasEscapes, let column = schema.place(of: scanner.raw(key), hint: hint) {
                    try cell(&scanner, column, start &+ column)
                    hint = column &+ 1
                    seen &+= 1
                } else {
                    seen += try unusual(&scanner, scanner.string(key), start)
                }
            } while try scanner.more(UInt8(ascii: "}"))
        }
        batch.end(start, seen: seen)
    }

    /// A member whose name has escapes, is the entity's, or is not the model's at all. Gives 1 if it was a column.
    @inline(never)
    private func unusual(_ scanner: inout JSONScanner, _ name: String, _ start: Int) throws(Fault) -> Int {
        var name = name
        let row = schema.width == 0 ? batch.count - 1 : start / schema.width
        if let column = name.withUTF8({ schema.names.find(UnsafeRawBufferPointer($0)) }) {
            try cell(&scanner, column, start + column)
            return 1
        }
        if name == schema.entity {
            try entity(&scanner, row: row)
            return 0
        }
        batch.stranger(name, row: row)
        try scanner.skipValue()
        return 0
    }

    /// Whom a row is about: a text, a number, or null for nobody.
    /// - Parameter place: where it stands in a row that is a list.
    func entity(_ scanner: inout JSONScanner, row: Int, at place: Int = 0) throws(Fault) {
        let kind = scanner.next()
        switch kind {
        case .text: batch.note(entity: scanner.string(try scanner.text()), row: row, at: place)
        case .number:
            let start = try scanner.decimal().start
            batch.note(
                entity: String(decoding: scanner.bytes[start..<scanner.offset], as: UTF8.self), row: row, at: place)
        default:
            let isNull = kind == .null || kind == .other
            try scanner.skipValue()
            if isNull { return batch.note(entity: nil, row: row, at: place) }
            batch.refuse(entity: kind == .flag ? "a truth value" : kind == .list ? "a list" : "an object", row, place)
        }
    }

    /// One value into its column.
    @inline(__always)
    func cell(_ scanner: inout JSONScanner, _ column: Int, _ cell: Int) throws(Fault) {
        switch scanner.next() {
        case .number: batch.put(try scanner.double(), column, cell)
        case .text:
            let text = try scanner.text()
            if text.hasEscapes {
                var string = scanner.string(text)
                string.withUTF8 { batch.put(UnsafeRawBufferPointer($0), column, cell) }
            } else {
                batch.put(scanner.raw(text), column, cell)
            }
        case .null:
            try scanner.null()
            batch.putMissing(column, cell)
        case .flag: put(try scanner.flag(), column, cell)
        case .object:
            try scanner.skipValue()
            batch.putMisfit("an object", column, cell)
        case .list:
            try scanner.skipValue()
            batch.putMisfit("a list", column, cell)
        case .other:
            if scanner.takeNotFinite() { return batch.putMissing(column, cell) }
            try scanner.skipValue()
        case .end: try scanner.skipValue()
        }
    }

    /// Truth values are categories "true" and "false", as the training table has them.
    @inline(never)
    func put(_ flag: Bool, _ column: Int, _ cell: Int) {
        guard schema.columns[column].isCategory else { return batch.putMisfit("a truth value", column, cell) }
        var text = flag ? "true" : "false"
        text.withUTF8 { batch.put(UnsafeRawBufferPointer($0), column, cell) }
    }

    /// A list of rows as objects.
    func objects(_ scanner: inout JSONScanner) throws(Fault) {
        try scanner.expect(UInt8(ascii: "["), "a list of rows")
        if scanner.take(UInt8(ascii: "]")) { return }
        repeat {
            guard hasRoom(scanner) else { return try skipRest(&scanner) }
            try object(&scanner)
        } while try scanner.more(UInt8(ascii: "]"))
    }

    /// Whether a further row may come; notes the fault if not.
    private func hasRoom(_ scanner: JSONScanner) -> Bool {
        if batch.count < mostRows, batch.faults.count < RowBatch.mostFaults { return true }
        if batch.count >= mostRows { batch.failTooManyRows(mostRows) }
        return false
    }

    private func skipRest(_ scanner: inout JSONScanner) throws(Fault) {
        repeat { try scanner.skipValue() } while try scanner.more(UInt8(ascii: "]"))
    }

    /// Rows as lists of values, in the columns' order of `order`: for each place in a row the model's column, or -1.
    func lists(_ scanner: inout JSONScanner, order: [Int]) throws(Fault) {
        try scanner.expect(UInt8(ascii: "["), "a list of rows")
        if scanner.take(UInt8(ascii: "]")) { return }
        repeat {
            guard hasRoom(scanner) else { return try skipRest(&scanner) }
            try list(&scanner, order)
        } while try scanner.more(UInt8(ascii: "]"))
    }

    private func list(_ scanner: inout JSONScanner, _ order: [Int]) throws(Fault) {
        try scanner.expect(UInt8(ascii: "["), "a list of a row's values")
        let start = batch.begin()
        var (place, seen) = (0, 0)
        if !scanner.take(UInt8(ascii: "]")) {
            repeat {
                let column = place < order.count ? order[place] : -1
                if column >= 0 {
                    try cell(&scanner, column, start + column)
                    seen += 1
                } else if column == -2 {
                    try entity(&scanner, row: batch.count - 1, at: place)
                } else {
                    try scanner.skipValue()
                }
                place += 1
            } while try scanner.more(UInt8(ascii: "]"))
        }
        if place != order.count { batch.failWidth(row: batch.count - 1, found: place, wanted: order.count) }
        batch.end(start, seen: seen)
    }

    /// A list a column in an object. The first list says how many rows there are.
    func columns(_ scanner: inout JSONScanner) throws(Fault) {
        try scanner.expect(UInt8(ascii: "{"), "an object with a list for each column")
        if scanner.take(UInt8(ascii: "}")) { return batch.findAbsent(besides: []) }
        var rows: Int?
        var names: [String] = []
        repeat {
            let key = scanner.string(try scanner.key())
            let count = try column(&scanner, key, rows: &rows)
            if rows == 0 { names.append(key) }
            if let rows, count != rows { batch.failLength(column: key, found: count, wanted: rows) }
        } while try scanner.more(UInt8(ascii: "}"))
        if batch.count == 0, batch.faults.isEmpty { batch.findAbsent(besides: names) }
        for row in 0..<batch.count { batch.findAbsent(row * schema.width) }
    }

    /// Gives how many values the column has.
    private func column(_ scanner: inout JSONScanner, _ name: String, rows: inout Int?) throws(Fault) -> Int {
        guard scanner.next() == .list else { throw scanner.fault(.expected("a list of a column's values")) }
        if rows == nil {
            var ahead = scanner
            let count = try ahead.countItems()
            rows = min(count, mostRows)
            if count > mostRows { batch.failTooManyRows(mostRows) }
            batch.begin(rows: rows ?? 0)
        }
        var text = name
        let place = text.withUTF8 { schema.names.find(UnsafeRawBufferPointer($0)) }
        let isEntity = name == schema.entity
        if place == nil, !isEntity { batch.stranger(name, row: 0) }
        try scanner.expect(UInt8(ascii: "["), "a list of a column's values")
        if scanner.take(UInt8(ascii: "]")) { return 0 }
        var row = 0
        repeat {
            if let place, row < batch.count {
                try cell(&scanner, place, row * schema.width + place)
            } else if isEntity, row < batch.count {
                try entity(&scanner, row: row)
            } else {
                try scanner.skipValue()
            }
            row += 1
        } while try scanner.more(UInt8(ascii: "]"))
        return min(row, mostRows)
    }
}

extension JSONScanner {
    /// How many items the list has that comes next.
    mutating func countItems() throws(Fault) -> Int {
        try expect(UInt8(ascii: "["), "a list")
        if take(UInt8(ascii: "]")) { return 0 }
        var count = 0
        repeat {
            try skipValue()
            count += 1
        } while try more(UInt8(ascii: "]"))
        return count
    }
}

extension RowBatch {
    func failTooManyRows(_ most: Int) {
        fail(InputFault(.tooManyRows, at: "$", "A body may have \(most) rows; send more as a batch file."))
    }

    func failWidth(row: Int, found: Int, wanted: Int) {
        let path = place.path(row: row, column: "", place: min(found, wanted))
        fail(InputFault(.shape, at: path, "The row has \(found) values; \(wanted) belong there."))
    }

    func failLength(column: String, found: Int, wanted: Int) {
        let path = place.path(row: min(found, wanted), column: column, place: 0)
        fail(InputFault(.shape, at: path, "The column has \(found) values; the first column has \(wanted)."))
    }
}
