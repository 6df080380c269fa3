import Core
import Foundation
import TestSupport
import Testing
import Workflow

/// The specification in a blueprint as it was stored when it was frozen.
@Suite struct `The specification of a model` {
    private func stored(_ name: String) throws -> JSONValue? {
        let file = URL(
            fileURLWithPath: "\(packageFolder)/Tests/Learning/TrainingTests/Fixtures/stored/\(name).blueprint.json")
        return try JSON.decode(JSONValue.self, from: try Data(contentsOf: file))["model"]
    }

    @Test(arguments: ["boosted", "forest"])
    func `is read as it was stored, and written again the same`(_ name: String) throws {
        let text = try JSON.encode(try #require(try stored(name)))
        #expect(try JSON.encode(try JSON.decode(ModelSpecification.self, from: text)) == text)
    }

    @Test func `may lack lists`() throws {
        var members = try #require(try stored("boosted")?.members)
        for name in ["exclude", "categorical"] { members[name] = nil }
        let found = try JSON.decode(ModelSpecification.self, from: try JSON.encode(JSONValue.object(members)))
        #expect(found.exclude.isEmpty && found.categorical.isEmpty && found.key == "id")
    }
}
