package import Core

extension LazyLakeEngine {
    /// Counts quarantined rows by file, column, rule and state.
    package func countQuarantined(_ tables: QuarantineTables) throws -> [QuarantineCount] {
        try engine().countQuarantined(tables)
    }
    /// Counts quarantined rows by state.
    package func countQuarantinedRows(_ tables: QuarantineTables) throws -> [QuarantineState: Int] {
        try engine().countQuarantinedRows(tables)
    }
    /// Returns quarantined rows, by file in order of ingestion and row.
    package func quarantinedRows(
        _ tables: QuarantineTables, _ filter: QuarantineFilter, limit: Int?
    ) throws -> [QuarantinedRow] { try engine().quarantinedRows(tables, filter, limit: limit) }
    /// Returns the files that were rejected whole, each with its latest reason.
    package func refusedFiles(
        _ tables: QuarantineTables
    ) throws -> [(file: String, digest: String, reason: String)] { try engine().refusedFiles(tables) }
    /// Returns the decisions about these rows, in order of time.
    package func decisions(
        _ tables: QuarantineTables, about rows: [(digest: String, row: Int?)]?
    ) throws -> [QuarantineDecision] { try engine().decisions(tables, about: rows) }
    /// Whether the rows of a new quarantine file equal those already quarantined for this digest.
    package func isQuarantined(_ file: WrittenFile, of digest: Digest, in tables: QuarantineTables) throws -> Bool {
        try engine().isQuarantined(file, of: digest, in: tables)
    }
    /// Returns the passes that quarantined rows of a file, as ATTEMPT/DIGEST.
    package func attempts(of digest: Digest, in tables: QuarantineTables) throws -> [String] {
        try engine().attempts(of: digest, in: tables)
    }
    /// Checks quarantined rows, with corrections, under the present contract.
    package func rejudge(_ request: RejudgeRequest) throws -> Rejudgement { try engine().rejudge(request) }
    /// Writes some quarantined rows again under another attempt; commits nothing.
    package func copyQuarantined(
        _ tables: QuarantineTables, _ filter: QuarantineFilter, attempt: String, into file: String
    ) throws -> WrittenFile {
        try engine().copyQuarantined(tables, filter, attempt: attempt, into: file)
    }
}
