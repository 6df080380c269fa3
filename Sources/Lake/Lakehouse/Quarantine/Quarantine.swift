// What bronze refused, and what people decided about it. Invariants:
// (1) nothing received is lost: a refused row stands in `quarantine.<source>` with all its cells as they came, a file
//     that was refused whole is kept byte for byte in the table's folder;
// (2) both tables only grow: a correction, a drop, a replay is one more row in `quarantine._<source>_decisions`;
// (3) a row's state is derived. It is replayed when a plan that names it has its `txn` in bronze's log, and
//     bronze's commit is one: there is no instant at which a row is in bronze and still open, or twice in bronze.

/// State of a quarantined row or file.
package enum QuarantineState: String, Sendable, Codable, CaseIterable {
    /// Waits for a person, or for another contract.
    case open
    /// Went into bronze later.
    case replayed
    /// A person said that nothing comes of it.
    case dropped
    /// A later row has the same key, and the contract says latest-wins.
    case superseded
}

/// The Parquet files and ids that make up one source's quarantine, as input for the engine.
package struct QuarantineTables: Sendable {
    /// Parquet files of `quarantine.<source>`.
    package var quarantined: [String] = []
    /// Parquet files of `quarantine._<source>_decisions`.
    package var decisions: [String] = []
    /// Ids of the replays in bronze's log.
    package var replays: [String] = []
    /// Digests of the files in bronze's log, in order of ingestion.
    package var taken: [String] = []
    /// Attempts at files that no longer count, as ATTEMPT/DIGEST: another pass judged the file after a kill.
    ///
    /// One attempt may cover many files.
    package var void: [String] = []
    /// Ids of the repeated passes over known files in bronze's log; an attempt "again-ID…" counts only with its own.
    package var agains: [String] = []
    /// Id of the latest repeated pass over a file, by its digest; its older attempts and replays do not count.
    package var floors: [String: String] = [:]
}

/// Selection of quarantined rows: all parts must match; a part that is `nil`, or `holding` when empty, matches any.
package struct QuarantineFilter: Sendable {
    /// States of the selected rows, at least one; open rows unless set.
    package var states: Set<QuarantineState> = [.open]
    /// SHA-256, in hexadecimal, of the files that the rows came from; an empty list selects none.
    package var digests: [String]?
    /// Data rows in their file, from 1; an empty list selects none.
    package var rows: [Int]?
    /// Contract column in which a row must violate a rule: `rule`, when that is set.
    package var column: String?
    /// Rule that a row must violate, or its part before a colon: "not null", "well-formed line".
    package var rule: String?
    /// Contract columns with the raw text that they must have; `nil` = missing.
    package var holding: [(column: Contract.Column, text: String?)] = []
    /// Whether only rows with a correction are selected.
    package var correctedOnly = false
    /// The only rows selected, by file digest and row.
    package var only: [(digest: String, row: Int)]?

    package init() {}
}

/// One correction, drop, reopening or replay of a row or file, as stored in the decisions table.
package struct QuarantineDecision: Sendable, Encodable {
    /// The kind of decision.
    package enum Action: String, Sendable { case fix, drop, reopen, replay }

    /// Id shared by decisions that were made together; ids sort by time.
    package var decision: String
    /// Time of the decision as RFC 3339 in UTC.
    package var at: String
    /// Who decided, or started the replay: an account of the operating system, or "user:ada" on a server.
    package var actor: String
    /// Raw value of an ``Action``: "fix", "drop", "reopen" or "replay".
    package var action: String
    /// Reason that the person gave; `nil` for none, and for replays.
    package var reason: String?
    /// SHA-256, in hexadecimal, of the file that the decision concerns.
    package var digest: String
    /// Name of the file that the decision concerns.
    package var file: String
    /// Data row in its file, from 1; `nil` when the decision is about the whole file.
    package var row: Int?
    /// Contract column of the corrected cell; `nil` unless the action is `fix`.
    package var column: String?
    /// Raw text before the correction; `nil` when missing, and unless the action is `fix`.
    package var oldValue: String?
    /// Corrected raw text, empty = missing; `nil` unless the action is `fix`.
    package var newValue: String?

    package init(
        decision: String, at: String, actor: String, action: String, reason: String?, digest: String, file: String,
        row: Int?, column: String? = nil, oldValue: String? = nil, newValue: String? = nil
    ) {
        self.decision = decision
        self.at = at
        self.actor = actor
        self.action = action
        self.reason = reason
        self.digest = digest
        self.file = file
        self.row = row
        self.column = column
        self.oldValue = oldValue
        self.newValue = newValue
    }

    enum CodingKeys: String, CodingKey {
        case decision, at, actor, action, reason, digest, file, row, column
        case oldValue = "old_value"
        case newValue = "new_value"
    }
}

/// One quarantined row with its cells, violations, corrections and state.
package struct QuarantinedRow: Sendable, Encodable {
    /// One rule that the row violates.
    package struct Breach: Sendable, Codable {
        /// Contract column, or the key columns joined by ", "; `nil` for a malformed line.
        package var column: String?
        /// The violated rule: "min 0", "unique key", "well-formed line: …".
        package var rule: String
        /// Raw text that violates the rule, the whole line when malformed; `nil` when missing.
        package var value: String?
    }

    /// Name of the file that the row came from.
    package var file: String
    /// SHA-256, in hexadecimal, of the file that the row came from.
    package var digest: String
    /// Data row in its file, from 1.
    package var row: Int
    /// State derived from the decisions and from bronze's log.
    package var state: QuarantineState
    /// Its violations by the latest check.
    package var breaches: [Breach]
    /// Header names of the file, in order; `nil` for rows quarantined by earlier versions of Martlet.
    package var header: [String]?
    /// The original cells; `nil` when the line could not be parsed.
    package var cells: [String?]?
    /// The original line when it could not be parsed.
    package var line: String?
    /// Corrected contract columns with their new raw texts.
    package var corrections: [String: String]
    /// The decisions about the row, in order of time.
    package var history: [QuarantineDecision] = []

    package init(
        file: String, digest: String, row: Int, state: QuarantineState, breaches: [Breach], header: [String]?,
        cells: [String?]?, line: String?, corrections: [String: String]
    ) {
        self.file = file
        self.digest = digest
        self.row = row
        self.state = state
        self.breaches = breaches
        self.header = header
        self.cells = cells
        self.line = line
        self.corrections = corrections
    }
}

/// Number of quarantined rows by file, column, rule and state.
package struct QuarantineCount: Sendable, Encodable {
    /// Name of the file that the rows came from.
    package var file: String
    /// SHA-256, in hexadecimal, of the file that the rows came from.
    package var digest: String
    /// Contract column, or the key columns joined by ", "; `nil` for malformed lines.
    package var column: String?
    /// The violated rule: "min 0", "unique key", "well-formed line".
    package var rule: String
    /// State that all of the counted rows are in.
    package var state: QuarantineState
    /// Number of rows; a row counts once for each rule that it violates.
    package var rows: Int
    /// Raw text of one violating cell, or of a malformed line; `nil` for missing cells.
    package var example: String?
    /// Data row in its file, from 1, of the first of the counted rows.
    package var exampleRow: Int?

    enum CodingKeys: String, CodingKey {
        case file, digest, column, rule, state, rows, example
        case exampleRow = "example_row"
    }

    package init(
        file: String, digest: String, column: String?, rule: String, state: QuarantineState, rows: Int,
        example: String?,
        exampleRow: Int?
    ) {
        self.file = file
        self.digest = digest
        self.column = column
        self.rule = rule
        self.state = state
        self.rows = rows
        self.example = example
        self.exampleRow = exampleRow
    }
}

/// A file that was rejected whole.
package struct RefusedFile: Sendable, Encodable {
    /// Name of the file when it was rejected.
    package var file: String
    /// SHA-256 of the file's bytes, in hexadecimal.
    package var digest: String
    /// Latest reason for the rejection, as a phrase: "it has a header but no rows".
    package var reason: String
    /// Open, dropped, or replayed when the file was ingested later; never superseded.
    package var state: QuarantineState
    /// Path where its bytes are kept; `nil` for files rejected by earlier versions of Martlet.
    package var kept: String?
    /// Differences of its schema from the present contract, when requested.
    package var drift: [SchemaDrift] = []
    /// The decisions about the file as a whole, in order of time.
    package var history: [QuarantineDecision] = []
}
