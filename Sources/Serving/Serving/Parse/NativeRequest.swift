internal import JSONText

/// Parser of Martlet's own prediction requests: `record`, `records` or `columns`, and `explain`.
///
/// Exactly one of `record` (one row as an object), `records` (a list of them) and `columns` (a list a column).
package struct NativeRequest: Sendable {
    /// Whether the client asks for reasons.
    package var explain = false

    /// Parses a body into the batch. Faults of single values are recorded in the batch.
    /// - Throws: `serving.malformed` for what is not JSON, `serving.shape` for JSON of another form. What is wrong with
    ///   single values stands in the batch.
    package init(_ body: UnsafeRawBufferPointer, into batch: RowBatch, mostRows: Int) throws(InputFault) {
        var scanner = JSONScanner(body)
        do { try read(&scanner, JSONRows(batch, mostRows: mostRows)) } catch { throw InputFault(reading: error) }
    }

    private mutating func read(_ scanner: inout JSONScanner, _ rows: JSONRows) throws {
        try scanner.expect(UInt8(ascii: "{"), "an object with record, records or columns")
        var hasRows = false
        func rowsCome() throws(InputFault) {
            if hasRows { throw InputFault(.shape, at: "$", "Send one of record, records and columns, once.") }
            hasRows = true
        }
        if !scanner.take(UInt8(ascii: "}")) {
            repeat {
                let key = try scanner.key()
                if scanner.equals(key, "record") {
                    try rowsCome()
                    rows.batch.place = .member("record")
                    try rows.object(&scanner)
                } else if scanner.equals(key, "records") {
                    try rowsCome()
                    rows.batch.place = .objects("records")
                    try rows.objects(&scanner)
                } else if scanner.equals(key, "columns") {
                    try rowsCome()
                    rows.batch.place = .columns("columns")
                    try rows.columns(&scanner)
                } else if scanner.equals(key, "explain") {
                    guard scanner.next() == .flag else { throw scanner.fault(.expected("true or false")) }
                    explain = try scanner.flag()
                } else {
                    let name = scanner.string(key)
                    throw InputFault(
                        .shape, at: "$\(RowPlace.member(name))",
                        "There is no member \(RowBatch.shown(name)): send one of record, records and columns, and explain."
                    )
                }
            } while try scanner.more(UInt8(ascii: "}"))
        }
        try scanner.expectEnd()
        if !hasRows { throw InputFault(.shape, at: "$", "Send one of record, records and columns.") }
    }
}
