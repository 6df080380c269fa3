import Core
import HTTPTypes
import Identity
import PredictionLog
import Projects
import ServerTestKit
import Serving
import ServingComposition
import TestSupport
import Testing

/// What a server has logged of the rows that it answered, whichever way they came.
@Suite struct `A server that logs` {
    private static func row(_ ward: String, weight: Double = 96.5, _ rest: String = "") -> String {
        #"{"ward": "\#(ward)", "weight": \#(weight), "readings": 3, "weight_per_reading": 32.17\#(rest)}"#
    }

    private static let rows = [row("north"), row("attic"), row("north", weight: 1e6), row("attic", #", "mood": 1"#)]
    private static let codes = [
        [], ["serving.unknown-category"], ["serving.out-of-range"],
        ["serving.unknown-category", "serving.unknown-column"],
    ]
    private static let columns = """
        {"columns": {"ward": ["north", "attic"], "weight": [1e6, 96.5], "readings": [3, 3],
            "weight_per_reading": [32.17, 32.17], "mood": [1, 2]}}
        """

    /// The logged rows of the folder, by id.
    private func logged(_ wards: ServedWards) throws -> [LoggedPrediction] {
        try SegmentFolder(wards.served.home.predictions).readable().flatMap { entry in
            var reader = try PredictionLogReader(entry.path)
            var rows: [LoggedPrediction] = []
            while let row = try reader.next() { rows.append(row) }
            return rows
        }
    }

    private func serving() async throws -> (wards: ServedWards, server: TestServer) {
        let wards = try ServedWards(versions: 1, log: .written)
        wards.watch.look()
        return (wards, try await wards.server())
    }

    @Test(arguments: [true, false]) func `keeps each row's own warnings`(_ byFastPath: Bool) async throws {
        let (wards, server) = try await serving()
        let token = try server.token(.viewer)
        let body = "{\"records\": [\(Self.rows.joined(separator: ", "))]}"
        if byFastPath {
            try await server.listening { port in
                for body in [body, Self.columns] {
                    let answer = try await port.ask(.post, "/predict", token: token, body: body)
                    #expect(answer.status == 200, "\(answer)")
                }
            }
        } else {
            for body in [body, Self.columns] {
                #expect(try await server.ask(.post, "/predict", token: token, body: body).status == 200)
            }
        }
        let rows = try logged(wards)
        #expect(rows.prefix(4).map(\.warnings) == Self.codes)
        #expect(
            rows.dropFirst(4).map(\.warnings) == [
                ["serving.out-of-range", "serving.unknown-column"],
                ["serving.unknown-category", "serving.unknown-column"],
            ])
        #expect(rows.prefix(4).map { $0.requestID.suffix(2) } == [".0", ".1", ".2", ".3"])
        #expect(try wards.slot.predictions == 6)
        try await wards.served.log?.shutDown()
    }

    @Test func `keeps the rows of a batch with their numbers, but those without a score`() async throws {
        let (wards, server) = try await serving()
        let lines = [Self.rows[0], #"{"ward": 1, "weight": "heavy"}"#, Self.rows[3]].joined(separator: "\n")
        let answer = try await server.ask(
            .post, "/predict/batch", token: server.token(.viewer), headers: ["Content-Type": "application/x-ndjson"],
            body: lines)
        #expect(answer.status == 200, "\(answer)")
        let rows = try logged(wards)
        #expect(rows.map { $0.requestID.suffix(2) } == [".1", ".3"])
        #expect(rows.map(\.warnings) == [[], Self.codes[3]])
        #expect(try wards.slot.predictions == 2)
        try await wards.served.log?.shutDown()
    }
}
