package import Core

extension LazyLakeEngine {
    package func countSetAside(_ tables: QuarantineTables) throws -> [SetAsideCount] {
        try engine().countSetAside(tables)
    }
    package func countSetAsideRows(_ tables: QuarantineTables) throws -> [SetAsideState: Int] {
        try engine().countSetAsideRows(tables)
    }
    package func setAsideRows(
        _ tables: QuarantineTables, _ filter: QuarantineFilter, limit: Int?
    ) throws -> [SetAsideRow] { try engine().setAsideRows(tables, filter, limit: limit) }
    package func refusedFiles(
        _ tables: QuarantineTables
    ) throws -> [(file: String, digest: String, reason: String)] { try engine().refusedFiles(tables) }
    package func decisions(
        _ tables: QuarantineTables, about rows: [(digest: String, row: Int?)]?
    ) throws -> [QuarantineDecision] { try engine().decisions(tables, about: rows) }
    package func isSetAside(_ file: WrittenFile, of digest: Digest, in tables: QuarantineTables) throws -> Bool {
        try engine().isSetAside(file, of: digest, in: tables)
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
    package func copySetAside(
        _ tables: QuarantineTables, _ filter: QuarantineFilter, attempt: String, into file: String
    ) throws -> WrittenFile {
        try engine().copySetAside(tables, filter, attempt: attempt, into: file)
    }
    package func cells(of line: String, format: SourceFormat) throws -> [String] {
        try engine().cells(of: line, format: format)
    }
}
