import Core
import Foundation
import Lakehouse
import PredictionLog
import ProjectTestKit
import Projects
import TestSupport
import Testing
import Workflow

@Suite struct `Predictions in the lake` {
    private let place: TestHome
    private let lake: Lake
    private var log: String { place.home.predictions }
    private let table = PredictionCompaction.table(of: "delay")
    private let context: ExecutionContext

    init() throws {
        place = try TestHome()
        let clock = VirtualClock()
        context = clock.context()
        lake = try place.lake(clock, threads: 2, memory: "64MB")
    }

    private func source(_ version: Int, _ columns: [PredictionSource.Column]) -> PredictionSource {
        PredictionSource(
            project: "lab", model: "delay", version: version, signature: Digest(of: "\(version)"), columns: columns)
    }

    /// Logs rows and closes the log.
    private func write(
        _ rows: [(source: PredictionSource, features: [Double])], at start: Int64? = nil
    ) async throws {
        let context = start.map { VirtualClock(start: $0).context() } ?? context
        let open = try PredictionLog.open(folder: log, policy: PredictionLogPolicy(), context: context)
        for (index, row) in rows.enumerated() {
            let record = PredictionRecord(
                requestID: "r\(index)", entityID: nil, source: try open.register(row.source),
                time: Timestamp(microseconds: Int64(index)), features: row.features,
                outcome: .binary(probability: 0.25, positive: false),
                latency: 1)
            try await open.append(record)
        }
        try await open.shutDown()
    }

    private func compact() throws -> PredictionCompaction.Report {
        try PredictionCompaction(lake: lake, folder: SegmentFolder(log)).run()
    }

    private func texts(_ select: String) throws -> [[String?]] {
        let files = try lake.snapshot(of: table).files.map { lake.table(table).folder + "/" + $0.path }
        return try lake.engine.texts(
            Query("SELECT \(select) FROM \(table) ORDER BY request_id, version", inputs: [table: files]), limit: nil
        ).rows
    }

    @Test func `have one column for names that differ in case, and one each for those that are taken`() async throws {
        let first = source(
            1, [.init(name: "Age"), .init(name: "score"), .init(name: "ward", levels: ["north", "south"])])
        let second = source(
            2, [.init(name: "feature_score"), .init(name: "age"), .init(name: "score"), .init(name: "ward")])
        try await write([(first, [41, 7, 1]), (second, [1, 42, 8, 5]), (first, [43, 9, 0])])
        #expect(try compact().rows == 3)
        #expect(
            try texts(
                #"CAST("Age" AS INT), CAST(feature_score AS INT), CAST(feature_feature_score AS INT), ward, CAST(ward_number AS INT)"#
            )
                == [["41", "7", nil, "south", nil], ["42", "1", "8", nil, "5"], ["43", "9", nil, "north", nil]])
        // Later ones keep to the table's spelling.
        try await write([(source(3, [.init(name: "AGE")]), [44])])
        #expect(try compact().rows == 1)
        #expect(try lake.fields(of: table).map(\.name).filter { $0.lowercased() == "age" } == ["Age"])
        #expect(try texts(#"CAST("Age" AS INT)"#) == [["41"], ["44"], ["42"], ["43"]])
    }

    @Test func `have a column for each field, also those of a segment of version 1`() async throws {
        let segment = "018bcfe5680000000000000000000001-00000001.segment"
        let frozen = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Serving/PredictionLogTests/Fixtures/\(segment)").standardized
        try FileManager.default.createDirectory(atPath: log, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: frozen.path, toPath: "\(log)/\(segment)")
        try await write([(source(1, [.init(name: "x")]), [1])], at: 1_800_000_000)
        #expect(try compact().rows == 4)
        let names = try lake.fields(of: table).map(\.name)
        #expect(names == PredictionField.allCases.map(\.rawValue) + ["x"])
        #expect(
            try texts("request_id, deployment, arm, role, task, band, CAST(decision AS TEXT)") == [
                ["7f3c", "default", "champion", "answering", "binary", nil, nil],
                ["r0", "default", "champion", "answering", "binary", nil, "false"],
            ])
    }

    @Test func `leave a feature its column that a table of before version 2 has under a new field's name`() async throws
    {
        // As a table of then: without the new fields, with a feature called role.
        try FileManager.default.createDirectory(atPath: lake.table(table).folder, withIntermediateDirectories: true)
        var batches = [[LakeColumn.text(codes: [0], levels: ["r"]), .text(codes: [0], levels: ["nurse"])]]
        let file = try lake.engine.write(
            LakeBatches(
                columns: [("request_id", batches[0][0]), ("role", batches[0][1])],
                select: { "SELECT request_id, role FROM \($0)" }, next: { batches.popLast() }),
            into: "\(lake.table(table).folder)/part-old.parquet")
        _ = try lake.append(file, to: table, once: "old", upTo: 1)
        let first = source(1, [.init(name: "role", levels: ["nurse", "doctor"])])
        for row in 0..<2 {
            try await write([(first, [Double(row)])])
            #expect(try compact().rows == 1)
        }
        #expect(
            try Set(texts("role, prediction_role, arm")) == [
                ["nurse", nil, nil], ["nurse", "answering", "champion"], ["doctor", "answering", "champion"],
            ])
    }

    @Test func `come in the order of the log, each once, however many there are`() async throws {
        let wide = source(1, (0..<300).map { .init(name: "f\($0)") })
        let rows = (0..<3000).map { row in (wide, (0..<300).map { Double(row * 300 + $0) }) }
        try await write(rows)
        let report = try compact()
        #expect(report.rows == 3000 && report.segments > 0)
        let found = try texts("request_id, CAST(f0 AS BIGINT), CAST(f299 AS BIGINT)")
        #expect(found.count == 3000)
        for line in found {
            let row = try #require(line[0].flatMap { Int($0.dropFirst()) })
            #expect(line[1] == "\(row * 300)" && line[2] == "\(row * 300 + 299)")
        }
        #expect(try SegmentFolder(log).entries().isEmpty)
        #expect(try compact().rows == 0)
    }
}
