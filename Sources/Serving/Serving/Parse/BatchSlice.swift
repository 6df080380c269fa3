internal import DelimitedText

/// Whole records of a batch, to be read by themselves.
package struct BatchSlice: Sendable {
    /// A record of CSV whose quotes are broken: one line. That may only have been seen from what follows the slice.
    package struct Broken: Sendable {
        /// The line's bytes, its end included.
        var start: Int
        var end: Int
        let fault: CSVRecord.Fault

        func moved(by offset: Int) -> Broken { Broken(start: start + offset, end: end + offset, fault: fault) }
    }

    package var bytes: [UInt8]
    /// In order.
    var broken: [Broken] = []
    /// Reads the slice as the whole was read.
    var scanner = CSVScanner(CSVRows.dialect)
}
