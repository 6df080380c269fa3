package import Core

/// Result of ingesting one source, file by file.
package struct IngestReport: Sendable, Encodable {
    /// What happened to one file.
    package enum Outcome: String, Sendable, Encodable {
        case ingested, refused, alreadyKnown = "already-known"
        /// Still being written, or not ready: its turn comes later.
        case changing
        /// Refused before, and a person said that nothing comes of it.
        case dropped
        /// No data by its name: `data.csv.part`, `~$data.csv`.
        case ignored
        /// A known file whose bytes are gone, so that its rows stay as they are.
        case kept
    }

    /// An entry of a landing folder that was not ingested, with the reason.
    package struct Ignored: Sendable, Encodable, Equatable {
        /// Name of the entry in the landing folder.
        package var name: String
        /// Why it was not ingested, as a phrase for messages: "named as not complete: .part".
        package var reason: String

        package init(name: String, reason: String) {
            self.name = name
            self.reason = reason
        }
    }

    /// What happened to one file, with its row counts.
    package struct File: Sendable, Encodable {
        /// File name without its folder.
        package var name: String
        /// SHA-256 of the file; `nil` for one that was not read.
        package var digest: Digest?
        /// What became of the file; the row counts are 0 unless it was read in this run.
        package var outcome: Outcome
        /// Data rows read from the file, malformed lines included.
        package var rowsRead = 0
        /// Rows accepted for bronze; 0 for a file rejected whole.
        package var rowsAccepted = 0
        /// Rows that violate the contract, by a rule that does more than warn or by their key.
        package var rowsRejected = 0
        /// Rows replaced by a later row with the same key.
        package var rowsSuperseded = 0
        /// Whether the file declares its rows as synthetic (`_synthetic`).
        package var synthetic = false
        /// Why the whole file was rejected; `nil` when it was not.
        package var refusal: String?
        /// Whether the file was rejected because its share of bad rows is above the contract's limit.
        package var isBeyondShare = false
        /// Violations by rule and column.
        package var breaches: [Acceptance.Breach] = []
        /// Messages: unknown columns, rules that only warn, or why the file was not taken.
        package var warnings: [String] = []
        /// Compression of the file: `gzip`, `zstd`; `nil` for none.
        package var packing: String?
        /// Differences of its schema from the contract and from the table so far.
        package var drift: [SchemaDrift] = []

        package init(name: String, digest: Digest?, outcome: Outcome, warnings: [String] = []) {
            self.name = name
            self.digest = digest
            self.outcome = outcome
            self.warnings = warnings
        }

        enum CodingKeys: String, CodingKey {
            case name, digest, outcome, synthetic, refusal, breaches, warnings, packing, drift
            case isBeyondShare = "beyond_share"
            case rowsRead = "rows_read"
            case rowsAccepted = "rows_accepted"
            case rowsRejected = "rows_rejected"
            case rowsSuperseded = "rows_superseded"
        }
    }

    /// Name of the source whose files these are.
    package var source: String
    /// The bronze version that was committed; `nil` when nothing was new.
    package var version: Int?
    /// Results by file, in the order given; those of files that were not ready or no data come last.
    package var files: [File]
    /// Entries of the landing folder that were not ingested.
    package var ignored: [Ignored] = []
    /// Name of the marker file that the source waits for.
    package var waitsFor: String?

    package init(source: String, version: Int?, files: [File]) {
        self.source = source
        self.version = version
        self.files = files
    }

    enum CodingKeys: String, CodingKey {
        case source, version, files, ignored
        case waitsFor = "waits_for"
    }
}

extension IngestReport.File {
    mutating func describe(_ acceptance: Acceptance) {
        isBeyondShare = acceptance.isBeyondShare
        outcome = acceptance.refusal == nil ? .ingested : .refused
        rowsRead = acceptance.rowsRead
        rowsAccepted = acceptance.acceptedRows
        rowsRejected = acceptance.rejectedRows
        rowsSuperseded = acceptance.supersededRows
        synthetic = acceptance.syntheticRows > 0
        refusal = acceptance.refusal
        breaches = acceptance.breaches
        warnings = acceptance.warnings
        packing = acceptance.packing
    }
}
