package import Core

/// Record of a file in the bronze table.
package struct IngestedFile: Sendable {
    /// File name when it was ingested; short digest when the log no longer has the name.
    package var name: String
    /// SHA-256 of the file's bytes; its hexadecimal form is `_file` in the bronze table.
    package var digest: Digest
    /// Rows accepted when the file was last read, without later replays; 0 when not known.
    package var rows: Int
    /// Rows rejected when the file was last read; 0 when not known.
    package var rejected: Int
    /// Whether the file declares some of its rows as synthetic (`_synthetic`).
    package var synthetic: Bool
    /// The ``Contract/terms`` under which its rows were accepted; `nil` when an earlier version of Martlet did it.
    package var terms: String?
    /// Whether each row was judged alone, whatever share is bad.
    package var byRow = false
    /// The terms under which its rows were kept unchanged because its bytes no longer exist.
    package var keptUnder: String?
}
