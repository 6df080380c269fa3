import Core
import HTTPTypes
import Identity
import PredictionLog
import Projects
import Registry
import ServerTestKit
import Serving
import ServingComposition
import Synchronization
import TestSupport
import Testing

/// Which arm of a deployment answers, and what is logged of it.
@Suite struct `A deployment with two arms` {
    /// Version 1 for even entities and for files, version 2 for odd ones.
    private struct Halves: Deployment {
        let champion: Arm
        let challenger: Arm

        func route(_ entity: String?) -> DeploymentRoute {
            let isOdd = entity.flatMap { Int($0) }.map { $0 % 2 == 1 } ?? false
            return DeploymentRoute(answering: isOdd ? challenger : champion)
        }
    }

    private func body(_ visit: Int) -> String {
        ServedWards.record.replacing("{\"ward\"", with: "{\"visit_id\": \(visit), \"ward\"")
    }

    @Test(arguments: [true, false]) func `answers by the entity, and logs the arm`(_ byFastPath: Bool) async throws {
        let wards = try ServedWards(log: .written)
        func arm(_ version: Int, _ name: String) throws -> Arm {
            let model = try wards.served.load(ModelReference(parsing: "stay@\(version)")).model
            return try Arm(model, name: name, of: "trial")
        }
        try wards.slot.swap(to: Halves(champion: arm(1, "champion"), challenger: arm(2, "challenger")))
        let server = try await wards.server()
        let token = try server.token(.viewer)
        let bodies = [4, 5, 7].map(body) + [ServedWards.record]
        let kept = Mutex<[TestAnswer]>([])
        if byFastPath {
            try await server.listening { port in
                for body in bodies {
                    let answer = try await port.ask(.post, "/predict", token: token, body: body)
                    kept.withLock { $0.append(answer) }
                }
            }
        } else {
            for body in bodies {
                let answer = try await server.ask(.post, "/predict", token: token, body: body)
                kept.withLock { $0.append(answer) }
            }
        }
        let answers = kept.withLock { $0 }
        // Version 2 has a column more, so its rows were read once more by its own schema.
        #expect(answers.map { $0.json["version"]?.integer } == [1, 2, 2, 1], "\(answers)")
        #expect(answers.map { $0.json["warnings"] == nil } == [false, true, true, false])
        var reader = try PredictionLogReader(SegmentFolder(wards.served.home.predictions).readable()[0].path)
        var rows: [LoggedPrediction] = []
        while let row = try reader.next() { rows.append(row) }
        #expect(rows.map(\.source.version) == [1, 2, 2, 1] && rows.allSatisfy { $0.source.deployment == "trial" })
        #expect(rows.map(\.source.arm) == ["champion", "challenger", "challenger", "champion"])
        #expect(rows.map(\.entityID) == ["4", "5", "7", nil] && rows.allSatisfy { $0.role == .answering })
        #expect(rows.map(\.features.count) == [4, 5, 5, 4])
        #expect(rows.allSatisfy { $0.outcome.band != nil })
        try await wards.served.log?.shutDown()
    }
}
