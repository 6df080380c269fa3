internal import Core

/// Generates synthetic hospital encounters in the format of the UCI file "Diabetes 130-US hospitals".
///
/// ```swift
/// try ReadmissionGenerator(rows: 101_766, seed: 42).write { piece in file.append(piece) }
/// ```
///
/// The same 50 headers, the same missing marker `?` and the text `None`, and a last column `_synthetic` that is always
/// `true`.
///
/// Patients come back: each has a frailty and a main illness that stay with him, and a readmission that is announced
/// by the label mostly happens later in the file. The label depends on what the row shows and on the frailty, which
/// it does not show, so that a good model reaches a ROC-AUC near 0.70; the real file allows 0.68. The marginal shares are
/// near the real ones, no row is a copy of one, and nothing learned from these rows says anything about patients.
///
/// The same rows, seed and `unlabelled` give the same bytes everywhere. Memory does not grow with the rows beyond a
/// bounded list of patients who are due to come back.
package struct ReadmissionGenerator: Sendable {
    /// Number of encounters.
    package let rows: Int
    /// Seed of the random numbers: the same seed, rows and `unlabelled` give the same bytes.
    package let seed: UInt64
    /// Whether the label is missing (`?`) in every row: encounters to be scored, their ids above the real file's.
    package let unlabelled: Bool

    package init(rows: Int, seed: UInt64, unlabelled: Bool = false) {
        self.rows = rows
        self.seed = seed
        self.unlabelled = unlabelled
    }

    /// Column names in the order of the real file, with `_synthetic` last.
    package static let header: [String] =
        EncounterTables.leading + EncounterTables.drugs.map(\.name) + ["change", "diabetesMed", "readmitted"]
        + ["_synthetic"]

    /// Largest encounter id of the real file; ids of rows to be scored start above it.
    package static let lastRealEncounter = 443_867_222

    /// Writes the file in pieces of about 64 KiB.
    ///
    /// - Parameter sink: receives each piece in order; what it throws ends the writing.
    package func write(to sink: (_ piece: [UInt8]) throws -> Void) throws {
        var text = CSVText(header: Self.header)
        var hospital = Hospital(rows: rows, seed: seed, unlabelled: unlabelled)
        for row in 0..<max(0, rows) {
            hospital.appendEncounter(row, to: &text)
            try text.flush(to: sink, above: 65_536)
        }
        try text.flush(to: sink, above: 0)
    }
}
