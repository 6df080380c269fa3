/// The part of an engine that reads what is in quarantine and what was decided about it.
package protocol QuarantineEngine {
    /// Counts quarantined rows by file, column, rule and state, most rows first. Superseded rows are counted too.
    func countQuarantined(_ tables: QuarantineTables) throws -> [QuarantineCount]

    /// Counts quarantined rows by state; a row that violates several rules counts once.
    func countQuarantinedRows(_ tables: QuarantineTables) throws -> [QuarantineState: Int]

    /// Returns quarantined rows, by file in order of ingestion and row; histories are left empty.
    func quarantinedRows(_ tables: QuarantineTables, _ filter: QuarantineFilter, limit: Int?) throws -> [QuarantinedRow]

    /// Returns the files that were rejected whole, each with its latest reason.
    func refusedFiles(_ tables: QuarantineTables) throws -> [(file: String, digest: String, reason: String)]

    /// Returns the decisions about these rows (`nil` = all; a row of `nil` = the file itself), in order of time.
    func decisions(
        _ tables: QuarantineTables, about rows: [(digest: String, row: Int?)]?
    ) throws -> [QuarantineDecision]
}
