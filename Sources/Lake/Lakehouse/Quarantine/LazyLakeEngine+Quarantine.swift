package import Core

extension LazyLakeEngine {
    package func countQuarantined(_ tables: QuarantineTables) throws -> [QuarantineCount] {
        try engine().countQuarantined(tables)
    }
    package func countQuarantinedRows(_ tables: QuarantineTables) throws -> [QuarantineState: Int] {
        try engine().countQuarantinedRows(tables)
    }
    package func quarantinedRows(
        _ tables: QuarantineTables, _ filter: QuarantineFilter, limit: Int?
    ) throws -> [QuarantinedRow] { try engine().quarantinedRows(tables, filter, limit: limit) }
    package func refusedFiles(
        _ tables: QuarantineTables
    ) throws -> [(file: String, digest: String, reason: String)] { try engine().refusedFiles(tables) }
    package func decisions(
        _ tables: QuarantineTables, about rows: [(digest: String, row: Int?)]?
    ) throws -> [QuarantineDecision] { try engine().decisions(tables, about: rows) }
    package func isQuarantined(_ file: WrittenFile, of digest: Digest, in tables: QuarantineTables) throws -> Bool {
        try engine().isQuarantined(file, of: digest, in: tables)
    }
    package func attempts(of digest: Digest, in tables: QuarantineTables) throws -> [String] {
        try engine().attempts(of: digest, in: tables)
    }
    package func rejudge(_ request: RejudgeRequest) throws -> Rejudgement { try engine().rejudge(request) }
    package func drift(_ request: DriftRequest) throws -> [SchemaDrift] { try engine().drift(request) }
    package func shiftedUnits(
        in written: [String], against existing: [String], contract: Contract
    ) throws -> [String: [SchemaDrift]] {
        try engine().shiftedUnits(in: written, against: existing, contract: contract)
    }
    package func table(of file: String, format: SourceFormat) throws -> TextTable {
        try engine().table(of: file, format: format)
    }
    package func copyQuarantined(
        _ tables: QuarantineTables, _ filter: QuarantineFilter, attempt: String, into file: String
    ) throws -> WrittenFile {
        try engine().copyQuarantined(tables, filter, attempt: attempt, into: file)
    }
    package func cells(of line: String, format: SourceFormat) throws -> [String] {
        try engine().cells(of: line, format: format)
    }
}
