/// Converts batches between Parquet and CSV in child processes of the server.
package protocol BatchConverter: Sendable {
    /// Begins to turn a file of Parquet into CSV with a header, numbers written so that they read back to the bit.
    /// - Parameters:
    ///   - file: where the file can be read; it may be closed afterwards.
    ///   - mostRows: a file with more is refused before anything comes out (`batch.too-many-rows`).
    func fromParquet(_ file: Int32, mostRows: Int) throws -> any BatchConversion

    /// Begins to turn an answer in CSV into Parquet.
    /// - Parameter columns: those of the answer.
    func toParquet(columns: [String]) throws -> any BatchConversion
}

/// A running conversion. Calls block, but `kill`; one thread may write while another reads.
package protocol BatchConversion: AnyObject, Sendable {
    /// Gives it bytes; `false` when it takes no more, of which reading tells the reason.
    func write(_ bytes: [UInt8]) -> Bool
    func endInput()
    /// What comes out next; nothing at the end.
    /// - Throws: `batch.parquet` for a file that cannot be read, `batch.converter` when the process fails.
    func read(_ most: Int) throws -> [UInt8]
    /// Ends it at once.
    func kill()
}
