import Core
import Foundation
import Testing
import Training
import TrainingLightGBM

/// Records as Martlet wrote them when they were frozen (Fixtures/stored), with levels called "missing" and "rare" for
/// missing and pooled values. They must be read, and score to the bit, in every later version.
@Suite struct `What a run stored before` {
    private static func bytes(_ name: String) throws -> [UInt8] {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return Array(try Data(contentsOf: here.appendingPathComponent("Fixtures/stored/\(name)")))
    }

    private static let learners = LearnerCatalogue([
        LightGBMLearner.descriptor, RandomForestLearner.descriptor(readBy: LightGBMLearner.descriptor),
    ])

    private static func number(_ cell: JSONValue) -> Double {
        switch cell {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: .nan
        }
    }

    private func record(_ name: String) throws -> ModelRecord {
        try Stored.read(ModelRecord.self, Self.bytes("\(name).model.json"), "model.json")
    }

    /// The text of a stored record, changed.
    private func record(replacing old: String, with new: String) throws -> ModelRecord {
        let text = String(decoding: try Self.bytes("boosted.model.json"), as: UTF8.self)
        guard text.contains(old) else { throw CocoaError(.formatting) }
        return try Stored.read(ModelRecord.self, Array(text.replacing(old, with: new).utf8), "model.json of m@1")
    }

    @Test(arguments: ["boosted", "forest"])
    func `scores as it did, to the bit`(_ name: String) throws {
        let record = try record(name)
        let samples = try Stored.read(SamplePredictions.self, Self.bytes("\(name).samples.json"), "samples.json")
        let columns = record.signature.columns.map { feature in
            let cells = samples.records.map { $0[feature.name] ?? .null }
            if feature.type == .number {
                return NamedColumn(feature.name, .number(cells.map { Self.number($0) }))
            }
            let levels = Array(Set(cells.compactMap(\.text))).sorted()
            let codes = cells.map { cell in cell.text.flatMap { levels.firstIndex(of: $0) }.map { Int32($0) } ?? -1 }
            return NamedColumn(feature.name, .category(codes: codes, levels: levels))
        }
        let scorer = try Self.learners.scorer(of: record.format, Self.bytes("\(name).model.txt"), threads: 1)
        let found = try record.outcomes(columns, scorer: scorer).map(\.score)
        #expect(found.count > 30 && found.map(\.bitPattern) == samples.scores.map(\.bitPattern))
    }

    @Test func `keeps what "missing" and "rare" meant in it`() throws {
        let signature = try record("boosted").signature
        #expect(signature.coding == .named)
        let table = [
            NamedColumn("colour", .category(codes: [0, -1, 1, 2, 3], levels: ["missing", "rare", "unheard", "red"])),
            NamedColumn("code", .category(codes: [-1, 0, 1, 2, 2], levels: ["9", "rare", "1"])),
            NamedColumn("size", .number([1, 2, 3, 4, 5])),
        ]
        let values = try signature.encode(table).values
        #expect(values[..<5] == [2, 2, 4, 4, 3])
        #expect(values[5..<10] == [3, 3, 3, 0, 0])
        let native = try record("forest").signature
        #expect(native.coding == .outside)
        let codes = try native.encode([table[0], table[2]]).values
        #expect(codes[0].isNaN && codes[1].isNaN && codes[4] == 3)
    }

    @Test(arguments: ["boosted", "forest"])
    func `is written again byte for byte`(_ name: String) throws {
        #expect(try JSON.encode(try record(name), pretty: true) == Self.bytes("\(name).model.json"))
        let samples = try JSON.decode(SamplePredictions.self, from: Self.bytes("\(name).samples.json"))
        #expect(try JSON.encode(samples, pretty: true) == Self.bytes("\(name).samples.json"))
    }

    @Test func `learns codes as before where a version is rebuilt`() throws {
        let column = NamedColumn("colour", .category(codes: [0, 0, 1, 1, -1, -1, 2], levels: ["red", "blue", "pink"]))
        let rebuilt = try Signature.learn([column], trainRows: Array(0..<7), rareBelow: 2, coding: .named)
        #expect(rebuilt.columns[0].levels == ["blue", "missing", "red", "rare"])
        let again = try roundTrip(rebuilt)
        #expect(rebuilt.coding == .named && again == rebuilt)
        #expect(try json(rebuilt).contains(#""rare":"rare""#))
    }

    @Test func `may lack metrics and have others`() throws {
        let more = try record(
            replacing: #""roc_auc" : {"#, with: #""sharpness" : {"value": 1, "low": 0}, "roc_auc" : {"#)
        let whole = try record("boosted")
        #expect(try json(more.test) == json(whole.test))
        let fewer = try record(replacing: #""npv" :"#, with: #""npv_of_before" :"#)
        #expect(fewer.test[.npv] == Estimate(nil) && fewer.test[.recall] == more.test[.recall])
        #expect(try !json(fewer.test).contains(#""npv":"#), "a metric that came later does not alter a record")
        let gates = try record(replacing: #""metric" : "brier""#, with: #""metric" : "sharpness""#)
        #expect(gates.plan.gates.count == 2 && gates.gates.map(\.metric) == ["roc_auc", "ece", "sharpness"])
    }

    @Test func `is binary where its plan names no task, and does not name that one`() throws {
        let record = try record("boosted")
        let task = try #require(record.plan.task as? BinaryTask)
        #expect(task.calibration == .platt && task.threshold == .cost(Costs(falseNegative: 5, falsePositive: 1)))
        let named = try self.record(
            replacing: #""calibration" : "platt""#, with: #""calibration" : "platt", "task" : "binary""#)
        #expect(try JSON.encode(named, pretty: true) == Self.bytes("boosted.model.json"))
    }

    @Test func `may lack whatever has a usual value`() throws {
        let whole = String(decoding: try Self.bytes("boosted.model.json"), as: UTF8.self)
        guard case .object(var members)? = JSONValue(parsing: whole), case .object(var plan)? = members["plan"],
            case .object(var input)? = plan["input"], case .object(var learner)? = plan["learner"]
        else { throw CocoaError(.formatting) }
        for name in [
            "rounds", "parts", "unlabelled", "importance", "ranges", "gates", "validation", "cross_validation",
        ] {
            members[name] = nil
        }
        for name in ["rareBelow", "missing", "calibration", "threshold", "gates", "bootstrap"] { plan[name] = nil }
        for name in ["unknown_column", "standard"] { input[name] = nil }
        for name in ["parameters", "earlyStopping", "seed"] { learner[name] = nil }
        plan["input"] = .object(input)
        plan["learner"] = .object(learner)
        plan["split"] = .object(["kind": .text("hash")])
        plan["future"] = .list([.integer(1)])
        members["plan"] = .object(plan)
        let record = try JSON.decode(ModelRecord.self, from: try JSON.encode(JSONValue.object(members)))
        #expect(record.plan.split == SplitPlan(kind: .hash) && record.plan.learner.seed == 42)
        #expect(record.plan.input?.unknownColumn == .warn && record.plan.input?.column("size").maximum == 50)
        #expect(record.importance.isEmpty && record.ranges == nil)
    }

    struct Stranger: Sendable, CustomTestStringConvertible {
        let old: String
        let new: String
        let code: String
        var testDescription: String { new }
    }

    @Test(arguments: [
        Stranger(old: #""kind" : "lightgbm""#, new: #""kind" : "catboost""#, code: "model.unknown-learner"),
        Stranger(
            old: #""calibration" : "platt""#, new: #""calibration" : "platt", "task" : "ordinal""#, code: "model.task"),
        Stranger(old: #""format" : "lightgbm-text""#, new: #""format" : "onnx""#, code: "model.unknown-format"),
        Stranger(old: #""kind" : "platt""#, new: #""kind" : "beta""#, code: "model.unreadable"),
        Stranger(old: #""kind" : "hash""#, new: #""kind" : "spatial""#, code: "model.unreadable"),
        Stranger(old: #""type" : "number""#, new: #""type" : "image""#, code: "model.unreadable"),
    ])
    func `is refused where a kind is not known, which is named`(_ stranger: Stranger) throws {
        let error = #expect(throws: MartletError.self) {
            let record = try record(replacing: stranger.old, with: stranger.new)
            _ = try Self.learners.find(record.plan.learner.kind)
            _ = try Self.learners.scorer(of: record.format, Self.bytes("boosted.model.txt"), threads: 1)
        }
        #expect(error?.code == stranger.code)
        let name = stranger.new.split(separator: "\"").last.map(String.init) ?? ""
        #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
    }

    @Test func `is refused where what decides a score is missing`() throws {
        let error = #expect(throws: MartletError.self) {
            try record(replacing: #""signature" :"#, with: #""signatures" :"#)
        }
        #expect(error?.code == "model.unreadable" && error?.message.contains("signature is missing") == true)
    }
}
