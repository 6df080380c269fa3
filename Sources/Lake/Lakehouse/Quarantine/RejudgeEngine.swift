package import Core
package import SourceFormats

/// The part of an engine for rows that were judged before: tells what earlier attempts at a file left, and judges
/// quarantined rows again.
package protocol RejudgeEngine {
    /// Whether the rows of a new quarantine file equal those already quarantined for this digest.
    func isQuarantined(_ file: WrittenFile, of digest: Digest, in tables: QuarantineTables) throws -> Bool

    /// Returns the passes that quarantined rows of a file, as ATTEMPT/DIGEST.
    func attempts(of digest: Digest, in tables: QuarantineTables) throws -> [String]

    /// Writes some quarantined rows, their original bytes too, again under another attempt; commits nothing.
    func copyQuarantined(
        _ tables: QuarantineTables, _ filter: QuarantineFilter, attempt: String, into file: String
    ) throws -> WrittenFile

    /// Checks quarantined rows, with corrections, under the present contract. Writes Parquet files, commits nothing.
    func rejudge(_ request: RejudgeRequest) throws -> Rejudgement
}

/// A request to check quarantined rows again under the present contract.
package struct RejudgeRequest {
    /// The source's quarantine, as the tables stand now.
    package var tables: QuarantineTables
    /// Which quarantined rows are checked.
    package var filter: QuarantineFilter
    /// Present contract of the source; each row is judged alone under it.
    package var contract: Contract
    /// Format of the source's files, by which the original bytes of rows are parsed again.
    package var format: SourceFormat
    /// Parquet files of bronze, whose keys must not occur again.
    package var existing: [String]
    /// Folder for new Parquet files of bronze: accepted rows, and rewritten files.
    package var bronzeFolder: String
    /// Folder for the new Parquet file of rows whose violations changed.
    package var quarantineFolder: String
    /// Folder for temporary files.
    package var scratch: String
    /// Id of the replay: unique part of file names, and mark of the new violations.
    package var id: String
}

/// Result of checking quarantined rows again.
package struct Rejudgement: Sendable {
    /// Number of rows checked.
    package var judged = 0
    /// The rows that meet the contract now.
    package var accepted: WrittenFile?
    /// File and row that each row of `accepted` came from.
    package var rows: [(file: String, digest: String, row: Int)] = []
    /// Files of bronze in which accepted rows replace earlier ones with the same key.
    package var rewrites: [Acceptance.Rewrite] = []
    /// Rows with violations that they did not have before; `nil` when none changed.
    package var quarantined: WrittenFile?
    /// Number of rows that still violate the contract.
    package var stillBad = 0
    /// Number of rows that stay out because a later row has the same key.
    package var superseded = 0
    /// Violations of the rows that stay in quarantine, by column and rule, most rows first.
    package var breaches: [Acceptance.Breach] = []

    package init() {}
}
