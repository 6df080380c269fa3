import Core
import Foundation
import Lakehouse
import LakehouseDuckDB
import SQLLineage
import SourceFormats
import TestSupport
import Testing

typealias Folder = TemporaryFolder

/// A lake in a folder of its own, with the DuckDB engine and a virtual clock.
final class Sandbox {
    let folder: Folder
    let engine: DuckDBLakeEngine
    let lake: Lake

    init(threads: Int = 1, in folder: Folder? = nil) throws {
        self.folder = try folder ?? Folder()
        engine = try DuckDBLakeEngine(
            threads: threads, memoryLimit: "1GB", spillFolder: self.folder.path + "/spill", pause: pause)
        lake = Lake(root: self.folder.path + "/lake", engine: engine, context: VirtualClock(step: 1).context())
    }

    /// Lands a file and ingests it.
    @discardableResult
    func ingest(
        _ text: String, under contract: Contract, format: SourceFormat = SourceFormat(), name: String = "file.csv"
    ) throws -> IngestReport.File {
        try ingest(bytes: Array(text.utf8), under: contract, format: format, name: name)
    }

    @discardableResult
    func ingest(
        bytes: [UInt8], under contract: Contract, format: SourceFormat = SourceFormat(), name: String = "file.csv"
    ) throws -> IngestReport.File {
        try ingest(files: [(name, bytes)], under: contract, format: format).files[0]
    }

    @discardableResult
    func ingest(
        files: [(name: String, bytes: [UInt8])], under contract: Contract, format: SourceFormat = SourceFormat()
    ) throws -> IngestReport {
        let landed = try files.map { name, bytes in
            LandedFile(path: try folder.write("landing/\(name)", bytes), name: name, content: Digest(of: bytes))
        }
        return try lake.ingest(landed, of: contract, format: format)
    }

    /// Rows as texts, nulls as "–", cells joined by "|".
    func rows(_ sql: String, at versions: [TableName: Int] = [:]) throws -> [String] {
        try lake.query(sql, at: versions, limit: nil).rows.map { $0.map { $0 ?? "–" }.joined(separator: "|") }
    }

    /// Row, column, rule and raw value of what was set aside.
    func quarantine(_ source: String = "things") throws -> [String] {
        try rows(
            "SELECT \"row\", \"column\", rule, raw_value FROM quarantine.\(source) ORDER BY \"row\", \"column\", rule")
    }

    func plan(_ name: String, _ sql: String) throws -> PlannedTransform {
        guard let table = TableName(name) else { throw MartletError(.defect, "test.name", name) }
        let file = "transforms/\(name).sql"
        return PlannedTransform(
            transform: Transform(table: table, file: file, sql: sql),
            analysis: try engine.parse(sql, file: file).analysis())
    }

    @discardableResult
    func build(_ name: String, _ sql: String) throws -> BuildReport { try lake.build(try plan(name, sql)) }
}

/// A contract of the source `things` with these columns.
func contract(_ columns: Contract.Column..., key: [String] = []) -> Contract {
    var contract = Contract(source: "things", file: "contracts/things.yaml", columns: columns)
    contract.key = key
    return contract
}

func column(_ name: String, _ type: ColumnType, _ change: (inout Contract.Column) -> Void = { _ in }) -> Contract.Column
{
    var column = Contract.Column(name: name, type: type)
    change(&column)
    return column
}

func format(_ change: (inout SourceFormat) -> Void) -> SourceFormat {
    var format = SourceFormat()
    change(&format)
    return format
}

/// The error that the body throws; records an issue when it throws none.
func refusal(_ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) -> MartletError? {
    do { try body() } catch let error as MartletError { return error } catch {
        Issue.record("an error of another kind: \(error)", sourceLocation: sourceLocation)
        return nil
    }
    Issue.record("nothing was refused", sourceLocation: sourceLocation)
    return nil
}
