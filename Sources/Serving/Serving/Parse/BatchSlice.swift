internal import DelimitedText

/// A part of a batch with whole records, which can be parsed alone.
package struct BatchSlice: Sendable {
    /// A malformed CSV record (one line), which may only have been detected from text behind the slice.
    package struct Broken: Sendable {
        /// The line's bytes, its end included.
        var start: Int
        var end: Int
        let fault: CSVRecord.Fault

        func moved(by offset: Int) -> Broken { Broken(start: start + offset, end: end + offset, fault: fault) }
    }

    /// The records as they were sent, with their line ends; the first slice of a CSV begins with the header.
    package var bytes: [UInt8]
    /// In order.
    var broken: [Broken] = []
    /// Reads the slice as the whole was read.
    var scanner = CSVScanner(CSVRows.dialect)
}
