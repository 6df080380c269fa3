package import Core
package import SourceFormats

/// The part of an engine that reads landed files, judges their rows by a contract, and tells how their schema differs.
package protocol IngestEngine {
    /// Throws when a pattern or bound of the contract is not valid for the engine.
    func check(_ contract: Contract) throws

    /// Reads landed files under their contract, with the same outcome as one after the other: accepted rows go to new
    /// Parquet files in `folder`, the others to one in `quarantineFolder`. Writes nothing else that stays.
    func accept(_ request: AcceptRequest) throws -> BatchAcceptance

    /// Returns the names that a file gives its columns.
    func header(of file: String, format: SourceFormat) throws -> [String]

    /// Compares a file's schema with its contract and the table so far; empty when they agree, or cannot be compared.
    func drift(_ request: DriftRequest) throws -> [SchemaDrift]

    /// Detects changed units in rows just written, against the table so far, by digest of the file.
    func shiftedUnits(
        in written: [String], against existing: [String], contract: Contract
    ) throws -> [String: [SchemaDrift]]
}

/// A request to check landed files of one source against its contract, one after the other.
package struct AcceptRequest {
    /// A landed file to check.
    package struct File {
        /// Path where the file is read.
        package var path: String
        /// File name for messages; folders before it that are named `key=value` give their values to all rows.
        package var name: String
        /// Digest by which the table knows the file; its hexadecimal form becomes `_file` of the accepted rows.
        package var digest: Digest
        /// Why the file is refused without a look at it; `nil` to read it.
        package var refusal: String?

        package init(path: String, name: String, digest: Digest, refusal: String? = nil) {
            self.path = path
            self.name = name
            self.digest = digest
            self.refusal = refusal
        }
    }

    /// Files in order of ingestion, which decides between rows with the same key.
    package var files: [File]
    /// Contract that the rows are checked against.
    package var contract: Contract
    /// Format in which the files are written.
    package var format: SourceFormat
    /// Parquet files of the bronze table, whose keys must not occur again.
    package var existing: [String]
    /// Folder for new Parquet files of accepted rows.
    package var folder: String
    /// Folder for the new Parquet file of rejected rows.
    package var quarantineFolder: String
    /// Unique part of the new files' names.
    package var id: String

    package init(
        files: [File], contract: Contract, format: SourceFormat, existing: [String], folder: String,
        quarantineFolder: String, id: String
    ) {
        self.files = files
        self.contract = contract
        self.format = format
        self.existing = existing
        self.folder = folder
        self.quarantineFolder = quarantineFolder
        self.id = id
    }
}

/// A request to compare a file with its contract and the table so far.
package struct DriftRequest {
    /// Path of the CSV or Parquet file to examine: a landed file, or a rejected one that quarantine keeps.
    package var path: String
    /// Contract that the file is compared with.
    package var contract: Contract
    /// Format in which the source's files are expected to be written.
    package var format: SourceFormat
    /// Parquet files of the bronze table, oldest first, as the reference for values.
    package var existing: [String]

    package init(path: String, contract: Contract, format: SourceFormat, existing: [String]) {
        self.path = path
        self.contract = contract
        self.format = format
        self.existing = existing
    }
}
