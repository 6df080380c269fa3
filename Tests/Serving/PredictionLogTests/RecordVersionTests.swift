import Core
import Foundation
import PredictionLog
import Storage
import TestSupport
import Testing

/// Records of version 2, and of version 1 as programs before 2026-11-29 wrote them (Fixtures).
@Suite struct `Logged records` {
    private static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    private static let name = "018bcfe5680000000000000000000001-00000001.segment"
    private static let frozen = here.appendingPathComponent("Fixtures/\(name)").path

    @Test func `of version 1 are read as answers of the champion`() throws {
        let rows = try contents(Self.frozen)
        #expect(rows.map(\.requestID) == ["7f3a", "7f3b.12", "7f3c"])
        #expect(
            rows.map(\.outcome) == [
                .binary(probability: 0.8125, positive: true), .binary(probability: 0.25, positive: false),
                .binary(probability: 0.5),
            ])
        #expect(rows.allSatisfy { $0.role == .answering && $0.source.deployment == "default" })
        #expect(rows.map(\.source.arm) == ["champion", "champion", "champion"])
        #expect(rows.map(\.source.model) == ["readmission", "readmission", "delay"])
        let first = rows[0]
        #expect(first.idempotencyKey == "once" && first.entityID == "patient-17" && first.hasReasons)
        #expect(first.warnings == ["serving.unknown-category", "serving.out-of-range"])
        #expect(first.features == [71.5, 1] && first.latency == 41_000)
        #expect(first.time == Timestamp(microseconds: 1_767_225_600_000_000))
        #expect(rows[1].features[0].isNaN && rows[1].features[1] == 2 && rows[1].warnings.isEmpty)
    }

    @Test func `of both versions are read from one folder, and are of the same source`() async throws {
        let scratch = try Scratch()
        try FileManager.default.createDirectory(atPath: scratch.log, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: Self.frozen, toPath: "\(scratch.log)/\(Self.name)")
        let old = try contents(Self.frozen)
        // Of another time, so that the new segment has another name.
        let log = try PredictionLog.open(
            folder: scratch.log, context: VirtualClock(start: 1_800_000_000).context())
        var record = record("new", try log.register(old[0].source), features: [1, 0])
        record.outcome = .binary(probability: 0.25, positive: false, band: .low)
        try await log.append(record)
        try await log.shutDown()
        let rows = try everything(scratch.log).sorted { $0.requestID < $1.requestID }
        #expect(rows.map(\.requestID) == ["7f3a", "7f3b.12", "7f3c", "new"])
        #expect(rows[3].source == rows[0].source)
        #expect(rows[3].outcome.band == "low" && rows[0].outcome.band == nil)
    }

    @Test(arguments: [nil, .low, .medium, .high] as [PredictionOutcome.Band?])
    func `keep outcome, role, deployment and arm`(_ band: PredictionOutcome.Band?) async throws {
        let scratch = try Scratch()
        let log = try PredictionLog.open(folder: scratch.log, context: context)
        let shadow = PredictionSource(
            project: "lab", model: "delay", version: 4, deployment: "trial", arm: "candidate",
            signature: Digest(of: "signature"), columns: source.columns)
        let outcomes: [PredictionOutcome] = [nil, true, false].map {
            .binary(probability: 0.75, positive: $0, band: band)
        }
        for outcome in outcomes {
            for (place, role) in [(source, PredictionRole.answering), (shadow, .shadow)] {
                var record = record("r", try log.register(place))
                (record.outcome, record.role) = (outcome, role)
                try await log.append(record)
            }
        }
        try await log.shutDown()
        let rows = try everything(scratch.log)
        #expect(rows.map(\.outcome) == outcomes.flatMap { [$0, $0] })
        #expect(rows.map(\.role) == [.answering, .shadow, .answering, .shadow, .answering, .shadow])
        #expect(rows.map(\.source.arm).suffix(2) == ["champion", "candidate"] && rows[1].source == shadow)
    }

    @Test func `have the fields that docs/predictions.md lists`() throws {
        let page = Self.here.appendingPathComponent("../../../docs/predictions.md").standardized
        let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
        let told = lines.drop { $0 != "| field | in a record | what it is |" }.dropFirst(2).prefix { $0.hasPrefix("|") }
        let wanted = PredictionField.allCases.map { "| `\($0.rawValue)` | \($0.placeText) | \($0.meaning) |" }
        #expect(told.map(String.init) == wanted, "the table should be\n\(wanted.joined(separator: "\n"))")
    }
}
