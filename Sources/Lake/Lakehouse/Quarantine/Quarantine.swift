package import Core

// What bronze refused, and what people decided about it. Invariants:
// (1) nothing received is lost: a refused row stands in `quarantine.<source>` with all its cells as they came, a file
//     that was refused whole is kept byte for byte in the table's folder;
// (2) both tables only grow: a correction, a drop, a replay is one more row in `quarantine._<source>_decisions`;
// (3) a row's state is derived. It is replayed when a plan that names it has its `txn` in bronze's log, and
//     bronze's commit is one: there is no instant at which a row is in bronze and still open, or twice in bronze.

/// Where a refused row or file stands.
package enum SetAsideState: String, Sendable, Codable, CaseIterable {
    /// Waits for a person, or for another contract.
    case open
    /// Went into bronze later.
    case replayed
    /// A person said that nothing comes of it.
    case dropped
    /// A later row has the same key, and the contract says latest-wins.
    case superseded
}

/// The tables of one source's quarantine, as the engine needs them.
package struct QuarantineTables: Sendable {
    /// Parquet files of `quarantine.<source>`.
    package var setAside: [String]
    /// Parquet files of `quarantine._<source>_decisions`.
    package var decisions: [String]
    /// Ids of the replays that bronze's log holds.
    package var replays: [String]
    /// Digests of the files that bronze's log holds, in order of ingestion.
    package var taken: [String]
    /// Attempts at files that count no more, ATTEMPT/DIGEST: another pass judged the file after a kill. One attempt
    /// may be at many files.
    package var void: [String]
    /// Ids of the passes over known files that bronze's log holds; an attempt "again-ID…" counts only with its own.
    package var agains: [String] = []
    /// Of each file that was read again, the pass: older attempts at it, and older replays, count no more.
    package var floors: [String: String] = [:]

    package init(
        setAside: [String] = [], decisions: [String] = [], replays: [String] = [], taken: [String] = [],
        void: [String] = []
    ) {
        self.void = void
        self.setAside = setAside
        self.decisions = decisions
        self.replays = replays
        self.taken = taken
    }
}

/// Which rows are meant; an absent part means all.
package struct QuarantineFilter: Sendable {
    package var states: Set<SetAsideState> = [.open]
    package var digests: [String]?
    package var rows: [Int]?
    package var column: String?
    package var rule: String?
    /// Contract columns with the raw text that they must hold; `nil` = missing.
    package var holding: [(column: Contract.Column, text: String?)] = []
    /// Only rows with a correction.
    package var correctedOnly = false
    /// Only these rows.
    package var only: [(digest: String, row: Int)]?

    package init() {}
}

/// One correction, drop or replay of one row or file: what stands in the decisions table.
package struct QuarantineDecision: Sendable, Encodable {
    package enum Action: String, Sendable { case fix, drop, reopen, replay }

    /// Decisions that were taken together share it; ids sort by time.
    package var decision: String
    /// RFC 3339 in UTC.
    package var at: String
    package var actor: String
    package var action: String
    package var reason: String?
    package var digest: String
    package var file: String
    /// `nil` when it is about the whole file.
    package var row: Int?
    package var column: String?
    package var oldValue: String?
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

/// A row that was set aside.
package struct SetAsideRow: Sendable, Encodable {
    package struct Breach: Sendable, Codable {
        package var column: String?
        package var rule: String
        package var value: String?
    }

    package var file: String
    package var digest: String
    /// Data row in its file, from 1.
    package var row: Int
    package var state: SetAsideState
    /// Why, as it was judged last.
    package var breaches: [Breach]
    /// Header names of the file, in its order; `nil` in what earlier versions of Martlet set aside.
    package var header: [String]?
    /// The cells as they came; `nil` when the line could not be taken apart.
    package var cells: [String?]?
    /// The line as it came when it could not be taken apart.
    package var line: String?
    /// Contract columns that were corrected, with what they hold now.
    package var corrections: [String: String]
    package var history: [QuarantineDecision] = []

    package init(
        file: String, digest: String, row: Int, state: SetAsideState, breaches: [Breach], header: [String]?,
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

/// How many rows one rule set aside, by file.
package struct SetAsideCount: Sendable, Encodable {
    package var file: String
    package var digest: String
    package var column: String?
    package var rule: String
    package var state: SetAsideState
    package var rows: Int
    package var example: String?
    package var exampleRow: Int?

    enum CodingKeys: String, CodingKey {
        case file, digest, column, rule, state, rows, example
        case exampleRow = "example_row"
    }

    package init(
        file: String, digest: String, column: String?, rule: String, state: SetAsideState, rows: Int, example: String?,
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

/// A file that was refused whole.
package struct RefusedFile: Sendable, Encodable {
    package var file: String
    package var digest: String
    package var reason: String
    package var state: SetAsideState
    /// Where its bytes are kept; `nil` in what earlier versions of Martlet set aside.
    package var kept: String?
    /// How its form differs from the contract as it is now, where somebody asked.
    package var drift: [SchemaDrift] = []
    package var history: [QuarantineDecision] = []
}

/// Set-aside rows that are to be judged again.
package struct RejudgeRequest {
    package var tables: QuarantineTables
    package var filter: QuarantineFilter
    package var contract: Contract
    package var format: SourceFormat
    /// Parquet files of bronze: keys must not come twice.
    package var existing: [String]
    package var bronzeFolder: String
    package var quarantineFolder: String
    package var scratch: String
    /// The replay's id: the unique part of file names, and the mark of the new reasons.
    package var id: String
}

/// What became of them.
package struct Rejudgement: Sendable {
    package var judged = 0
    package var accepted: WrittenFile?
    /// The rows of `accepted`, as file and row they came from.
    package var rows: [(file: String, digest: String, row: Int)] = []
    package var rewrites: [Acceptance.Rewrite] = []
    /// Rows that break a rule now that they did not break before; `nil` when no reason changed.
    package var quarantined: WrittenFile?
    package var stillBad = 0
    package var superseded = 0
    package var breaches: [Acceptance.Breach] = []

    package init() {}
}

/// The part of an engine that looks after refused rows.
package protocol QuarantineEngine: AnyObject {
    /// Counts by file, column, rule and state, most rows first. Superseded rows are counted too.
    func countSetAside(_ tables: QuarantineTables) throws -> [SetAsideCount]

    /// How many rows stand where; a row that breaks several rules counts once.
    func countSetAsideRows(_ tables: QuarantineTables) throws -> [SetAsideState: Int]

    /// The rows, by file in order of ingestion and row; histories are left empty.
    func setAsideRows(_ tables: QuarantineTables, _ filter: QuarantineFilter, limit: Int?) throws -> [SetAsideRow]

    /// Writes what stands of some rows, their bytes too, once more under another attempt; commits nothing.
    func copySetAside(
        _ tables: QuarantineTables, _ filter: QuarantineFilter, attempt: String, into file: String
    ) throws -> WrittenFile

    /// The files that were refused whole, each with its latest reason, as file name, digest and reason.
    func refusedFiles(_ tables: QuarantineTables) throws -> [(file: String, digest: String, reason: String)]

    /// Decisions about these rows (`nil` = all; a row of `nil` = the file itself), in order of time.
    func decisions(
        _ tables: QuarantineTables, about rows: [(digest: String, row: Int?)]?
    ) throws -> [QuarantineDecision]

    /// Whether the rows of a new quarantine file are the ones that stand there for this digest already.
    func isSetAside(_ file: WrittenFile, of digest: Digest, in tables: QuarantineTables) throws -> Bool

    /// The passes that set rows of a file aside, as ATTEMPT/DIGEST.
    func attempts(of digest: Digest, in tables: QuarantineTables) throws -> [String]

    /// Judges set-aside rows, corrected, under the present contract. Writes Parquet files, commits nothing.
    func rejudge(_ request: RejudgeRequest) throws -> Rejudgement

    /// How a file's form differs from its contract and from the table so far; empty when it does not, or cannot be
    /// told.
    func drift(_ request: DriftRequest) throws -> [SchemaDrift]

    /// Units of rows that were just written, against the table so far, by digest of the file.
    func shiftedUnits(
        in written: [String], against existing: [String], contract: Contract
    ) throws -> [String: [SchemaDrift]]

    /// A small CSV file with a header, as texts.
    func table(of file: String, format: SourceFormat) throws -> TextTable

    /// The cells of one CSV line.
    /// - Throws: `quarantine.line` when it is more than one, or ends within a quote.
    func cells(of line: String, format: SourceFormat) throws -> [String]
}
