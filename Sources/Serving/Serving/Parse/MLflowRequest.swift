internal import JSONText

/// Parser of MLflow's scoring requests (`/invocations`, MLflow 2 and 3).
///
/// Exactly one of `dataframe_split`, `dataframe_records`, `instances` and `inputs`, and `params`, which are not used.
/// NaN and infinities, which MLflow's own clients write, are missing values.
package struct MLflowRequest: Sendable {
    /// Parses a body into the batch.
    /// - Throws: `serving.malformed`, `serving.shape`.
    package init(_ body: UnsafeRawBufferPointer, into batch: RowBatch, mostRows: Int) throws(InputFault) {
        var scanner = JSONScanner(body)
        scanner.takesNotFinite = true
        do { try read(&scanner, JSONRows(batch, mostRows: mostRows)) } catch { throw InputFault(reading: error) }
    }

    private static let forms = "dataframe_split, dataframe_records, instances and inputs"

    private func read(_ scanner: inout JSONScanner, _ rows: JSONRows) throws {
        try scanner.expect(UInt8(ascii: "{"), "an object")
        var hasRows = false
        if !scanner.take(UInt8(ascii: "}")) {
            repeat {
                let name = scanner.string(try scanner.key())
                if name == "params" {
                    guard [.object, .null].contains(scanner.next()) else { throw scanner.fault(.expected("an object")) }
                    try scanner.skipValue()
                    continue
                }
                guard ["dataframe_split", "dataframe_records", "instances", "inputs"].contains(name) else {
                    throw InputFault(
                        .shape, at: "$\(RowPlace.member(name))",
                        "There is no member \(RowBatch.shown(name)): send one of \(Self.forms).")
                }
                if hasRows { throw InputFault(.shape, at: "$", "Send one of \(Self.forms), once.") }
                hasRows = true
                if name == "dataframe_split" {
                    try split(&scanner, rows)
                } else {
                    try tensor(&scanner, rows, name)
                }
            } while try scanner.more(UInt8(ascii: "}"))
        }
        try scanner.expectEnd()
        if !hasRows { throw InputFault(.shape, at: "$", "Send one of \(Self.forms).") }
    }

    /// Pandas' split form: `columns`, `data` and an index that does not matter.
    private func split(_ scanner: inout JSONScanner, _ rows: JSONRows) throws {
        try scanner.expect(UInt8(ascii: "{"), "an object with columns and data")
        var columns: [String]?
        var data: JSONScanner?
        if !scanner.take(UInt8(ascii: "}")) {
            repeat {
                let key = try scanner.key()
                if scanner.equals(key, "columns") {
                    columns = try texts(&scanner)
                } else if scanner.equals(key, "data") {
                    // Columns may come after the data that they name.
                    data = scanner
                    try scanner.skipValue()
                } else {
                    guard scanner.equals(key, "index") else {
                        let name: String = RowPlace.member(scanner.string(key))
                        throw InputFault(
                            .shape, at: "$.dataframe_split\(name)", "Pandas' split form has columns, index and data.")
                    }
                    guard scanner.next() == .list else { throw scanner.fault(.expected("a list")) }
                    try scanner.skipValue()
                }
            } while try scanner.more(UInt8(ascii: "}"))
        }
        guard var data else { throw InputFault(.shape, at: "$.dataframe_split", "There is no data.") }
        rows.batch.place = .lists("dataframe_split.data")
        try rows.lists(&data, order: order(columns, rows))
        if rows.batch.count == 0, rows.batch.faults.isEmpty, let columns { rows.batch.findAbsent(besides: columns) }
    }

    /// For each place in a row the model's column, -1 for one that it does not have, -2 for the entity's.
    private func order(_ columns: [String]?, _ rows: JSONRows) -> [Int] {
        guard let columns else { return Array(0..<rows.schema.width) }
        var places = [Int](repeating: 0, count: rows.schema.width)
        let order = columns.enumerated().map { place, name -> Int in
            var text = name
            if let column = text.withUTF8({ rows.schema.names.find(UnsafeRawBufferPointer($0)) }) {
                places[column] = place
                return column
            }
            if name == rows.schema.entity { return -2 }
            rows.batch.stranger(name, row: 0)
            return -1
        }
        rows.batch.order = places
        return order
    }

    /// `instances` and `inputs`: rows as objects, rows as lists in the signature's order, or an object with a list a
    /// column. `dataframe_records`: rows as objects.
    private func tensor(_ scanner: inout JSONScanner, _ rows: JSONRows, _ name: String) throws {
        switch scanner.next() {
        case .object where name != "dataframe_records":
            var ahead = scanner
            try ahead.expect(UInt8(ascii: "{"), "an object")
            let isEmpty = ahead.take(UInt8(ascii: "}"))
            if !isEmpty { _ = try ahead.key() }
            if !isEmpty, ahead.next() == .list {
                rows.batch.place = .columns(name)
                try rows.columns(&scanner)
            } else {
                rows.batch.place = .member(name)
                try rows.object(&scanner)
            }
        case .list:
            var ahead = scanner
            try ahead.expect(UInt8(ascii: "["), "a list")
            if ahead.next() == .list, name != "dataframe_records" {
                rows.batch.place = .lists(name)
                try rows.lists(&scanner, order: Array(0..<rows.schema.width))
            } else {
                rows.batch.place = .objects(name)
                try rows.objects(&scanner)
            }
        default: throw scanner.fault(.expected("rows"))
        }
    }

    private func texts(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> [String] {
        try scanner.expect(UInt8(ascii: "["), "a list of names")
        var texts: [String] = []
        if scanner.take(UInt8(ascii: "]")) { return texts }
        repeat {
            scanner.skipSpace()
            texts.append(scanner.string(try scanner.text()))
        } while try scanner.more(UInt8(ascii: "]"))
        return texts
    }
}
