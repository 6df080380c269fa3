import Core
import DelimitedText
import Lakehouse
import Projects
import SQLLineage
import SourceFormats
import TestSupport
import Testing
import Training

@Suite struct DecodingTests {
    @Test func `reads every key of a source`() throws {
        let folder = try fullFolder()
        let project = try folder.load()
        #expect(project.name == "everything")
        #expect(project.metadata == "postgres://martlet@db.example:5433/everything")
        #expect(project.folder == folder.path)
        let visits = try #require(project.source("visits"))
        #expect(visits.landing == folder.path + "/arrivals/visits")
        #expect(visits.contract.file == folder.path + "/contracts/visits-v2.yaml")
        var format = SourceFormat()
        format.kind = "csv"
        format.delimiter = ";"
        format.quote = "'"
        (format.escape, format.comment) = ("\\", "#")
        (format.decimal, format.thousands) = (",", ".")
        format.encoding = try #require(TextEncoding("latin-1"))
        format.missing = ["?", "n/a"]
        format.trim = true
        format.skipLines = 3
        #expect(visits.format == format)
        #expect((visits.quiet, visits.ready) == (5, "_SUCCESS"))
        let headerless = try fullFolder(
            fullProject.changing("header: true", "header: false"), fullContract.changing("position: 2, ", "")
        ).load()
        #expect(headerless.source("visits")?.format.header == false)
        let scans = try #require(project.source("scans"))
        #expect(scans.format.kind == "parquet")
        #expect(scans.landing == "/var/spool/scans")
        let wards = try #require(project.source("wards")).format
        #expect((wards.kind, wards.options, wards.skipLines) == ("excel", ["sheet": "Wards 2026"], 2))
        #expect((wards.missing, wards.trim, wards.header) == (["-"], true, true))
        #expect(project.source("events")?.format.missing == ["?"])
    }

    @Test func `reads every key of a contract`() throws {
        let contract = try #require(try fullFolder().load().source("visits")).contract
        #expect(contract.source == "visits")
        #expect(contract.onViolation == .rejectFile)
        #expect(contract.maxRejected == 0.25)
        #expect(contract.key == ["visit_id", "at"])
        #expect(contract.onKeyConflict == .latestWins)
        #expect((contract.eventTime, contract.availableAt) == ("at", "day"))
        let columns = contract.columns
        #expect(columns.map(\.name) == ["visit_id", "at", "day", "ward", "cost", "score", "count", "flag"])
        #expect(
            columns.map(\.type.description)
                == ["bigint", "timestamp", "date", "text", "decimal(12,2)", "double", "integer", "boolean"])
        #expect(columns.map(\.nullable) == [false, true, true, true, true, true, true, true])
        #expect(columns.map(\.position) == [2, nil, nil, nil, nil, nil, nil, nil])
        #expect(columns[0].min == "1")
        #expect(columns[0].max == "1e12")
        #expect(columns[1].format == "%d.%m.%Y %H:%M")
        #expect(columns[2].min == "2020-01-01")
        let ward = columns[3]
        #expect(ward.from == ["Ward", "Ward (name)"])
        #expect(ward.headerNames == ["Ward", "Ward (name)"])
        #expect(ward.optional)
        #expect(ward.allowed == ["NO", "yes", "12", "a b"])
        #expect(ward.pattern == "[A-Z]+")
        #expect(ward.missing == ["-", "unknown"])
        #expect(ward.onViolation == .warn)
        #expect(columns[4].unit == "EUR")
        #expect(columns[5].min == "-0.5")
        #expect(columns[6].allowed == ["1", "2", "3"])
        #expect(columns[7].headerNames == ["flag"])
    }

    @Test func `reads every key of a model`() throws {
        let models = try fullFolder().load().models
        let model = try #require(models.first)
        #expect(model.name == "first-model")
        #expect(model.table == TableName(.gold, "visits"))
        #expect((model.key, model.target, model.positive) == ("visit_id", "outcome", "NO"))
        #expect(model.group == "person")
        #expect(model.eventTime == "at")
        #expect(model.include == nil)
        #expect(model.exclude == ["note", "free text"])
        #expect(model.categorical == ["ward"])
        #expect(model.needsApproval)
        let plan = model.plan
        #expect(plan.rareBelow == 25)
        #expect(plan.missing == .native)
        #expect(plan.split == SplitPlan(kind: .time, seed: 7, train: 0.5, validation: 0.2, test: 0.3, by: .key))
        #expect(plan.crossValidation == CrossValidationPlan(folds: 4, seed: 9, gap: .seconds(172_800)))
        #expect(plan.learner.kind == "lightgbm")
        #expect(
            plan.learner.parameters == [
                "num_leaves": .number(7), "boost_from_average": .flag(false), "objective": .text("binary"),
                "label": .text("12"),
            ])
        #expect(plan.learner.rounds == 77)
        #expect(plan.learner.earlyStopping == 11)
        #expect(plan.learner.seed == 5)
        #expect(
            plan.task as? BinaryTask
                == BinaryTask(
                    calibration: .isotonic, threshold: .theoretical(Costs(falseNegative: 8, falsePositive: 2)),
                    bands: RiskBands(medium: 0.2, high: 0.6)))
        #expect(plan.entity == "patient")
        let input = try #require(plan.input)
        #expect(input.unknownColumn == .reject)
        var rest = InputPolicy.Column()
        (rest.unknownCategory, rest.missingColumn, rest.wrongType, rest.outOfRange) = (
            .reject, .missing, .warn, .missing
        )
        #expect(input.column("any") == rest)
        var ward = rest
        ward.unknownCategory = .missing
        #expect(input.column("ward") == ward, "what a column does not say, the model says")
        var age = rest
        (age.outOfRange, age.missingColumn, age.wrongType, age.minimum, age.maximum) = (.reject, .warn, .reject, 0, 120)
        #expect(input.column("age") == age)
        #expect(plan.bootstrap == Bootstrap(replicates: 250, seed: 3))
        #expect(
            plan.gates == [
                QualityGate(.rocAUC, atLeast: 0.7), QualityGate(.ece, part: .validation, atMost: 0.05),
                QualityGate(.recall, part: .cv, atLeast: 0.1, atMost: 0.9),
            ])
        #expect(models[0].process.record == "visits")
        #expect(models[0].process.rows["scans"]?.same == ["visit_id"])
        let second = models[1]
        #expect(second.include == ["a", "b"])
        #expect(second.table.layer == .silver)
        #expect(second.positive == "1")
        #expect(second.plan.learner.rounds == nil)
        #expect(second.plan.task as? BinaryTask == BinaryTask(threshold: .fixed(0.25)))
    }

    @Test func `reads when landed files are complete`() throws {
        let project = try leastFolder(
            leastProject.replacing("visits: {}", with: "visits: {quiet: 30, ready: _SUCCESS}")
        ).load()
        let source = try #require(project.source("visits"))
        #expect((source.quiet, source.ready) == (30, "_SUCCESS"))
    }

    @Test func `finds what lies in landing and belongs to no source`() throws {
        let folder = try leastFolder()
        #expect(try folder.load().unclaimedLanding().isEmpty)
        for name in ["visits/a.csv", "other/b.csv", "other/.hidden", "loose.csv", ".gitkeep"] {
            try folder.write("landing/\(name)", "id\n1\n")
        }
        #expect(
            try folder.load().unclaimedLanding().map { "\($0.path) \($0.files)" } == [
                "landing/loose.csv 1", "landing/other 1",
            ])
        let nested = try leastFolder(leastProject.replacing("visits: {}", with: "visits: {landing: landing/deep/er}"))
        try nested.write("landing/deep/er/a.csv", "id\n1\n")
        #expect(try nested.load().unclaimedLanding().isEmpty)
    }

    @Test func `a revision changes with what a contract takes, not with its words`() throws {
        func revision(_ old: String, _ new: String) throws -> String {
            let folder = try fullFolder(fullProject, fullContract.replacing(old, with: new))
            return try #require(try folder.load().source("visits")).contract.revision
        }
        let first = try revision("pii: quasi", "pii: quasi")
        for (old, new) in [
            ("description: where", "description: in which ward # of ours"), ("unit: EUR", "unit: USD"),
            ("pii: quasi", "pii: none"),
            ("score: {type: double,", "score: {type:   double, nullable: true,"),
        ] { #expect(try revision(old, new) == first, "\(new)") }
        for (old, new) in [
            ("max_rejected: 0.25", "max_rejected: 0.3"), ("on_violation: warn", "on_violation: reject-row"),
            ("max: 0.5", "max: 0.6"), ("allowed: [1, 2, 3]", "allowed: [1, 2]"), ("[A-Z]+", "[A-Z]*"),
            ("key: [visit_id, at]", "key: [visit_id]"), ("missing: [\"-\", unknown]", "missing: [\"-\"]"),
            ("flag: {type: boolean}", "flag: {type: boolean, nullable: false}"),
            ("flag: {type: boolean}", "flag: {type: text}"), ("%H:%M\"", "%H.%M\""), ("from: [Ward, ", "from: [ward, "),
        ] { #expect(try revision(old, new) != first, "\(new)") }
        let trimmed = try fullFolder(fullProject.replacing("delimiter: \";\"", with: "delimiter: \"|\"")).load()
        #expect(try #require(trimmed.source("visits")).contract.revision != first)
    }

    @Test func `fills in the defaults`() throws {
        let folder = try leastFolder()
        let project = try folder.load()
        let source = try #require(project.source("visits"))
        #expect(source.format == SourceFormat())
        #expect((source.format.delimiter, source.format.quote, source.format.header) == (",", "\"", true))
        #expect(source.landing == folder.path + "/landing/visits")
        let contract = source.contract
        #expect(contract.file == folder.path + "/contracts/visits.yaml")
        #expect((contract.onViolation, contract.onKeyConflict, contract.maxRejected) == (.rejectRow, .reject, nil))
        #expect((source.quiet, source.ready) == (0, nil))
        #expect(contract.key == [])
        let column = try #require(contract.columns.first)
        #expect(column == Contract.Column(name: "id", type: .bigint))
        let model = try #require(project.models.first)
        #expect((model.include, model.exclude, model.categorical, model.needsApproval) == (nil, [], [], false))
        let plan = model.plan
        #expect(plan.split == SplitPlan(kind: .hash, seed: 42, train: 0.7, validation: 0.1, test: 0.2, by: nil))
        #expect((plan.rareBelow, plan.missing) == (1, .level))
        #expect(plan.crossValidation == nil)
        #expect((plan.learner.rounds, plan.learner.earlyStopping, plan.learner.seed) == (500, 0, 42))
        #expect(plan.task as? BinaryTask == BinaryTask())
        #expect(plan.input == nil && plan.entity == nil)
        #expect(plan.gates.isEmpty)
        #expect(plan.bootstrap == Bootstrap(replicates: 1000, seed: 42))
        #expect(project.transforms.isEmpty)
    }

    @Test(arguments: ["NO", "Yes", "off", "0123", "1.0", "null", "~", "12:30:00", "1_000", "0x1F", "2024-01-01", "1e3"])
    func `a text stays as it is written`(_ text: String) throws {
        let contract = "columns:\n  id: {type: text, allowed: [\"\(text)\"]}\n"
        #expect(try leastFolder(leastProject, contract).load().sources[0].contract.columns[0].allowed == [text])
        guard text != "null", text != "~" else { return }
        let plain = "columns:\n  id: {type: text, allowed: [\(text)], missing: [\(text)], from: [\(text)]}\n"
        let column = try leastFolder(leastProject, plain).load().sources[0].contract.columns[0]
        #expect((column.allowed, column.missing, column.from) == ([text], [text], [text]))
        let project = leastProject.changing("positive: \"1\"", "positive: \(text)")
        #expect(try leastFolder(project).load().models[0].positive == text)
    }

    @Test(arguments: [
        "{type: decimal(12,2)}", "{type: decimal(12, 2), nullable: false}", "{nullable: false, type: decimal(12,2)}",
        "{type: \"decimal(12,2)\"}",
    ])
    func `a decimal in braces needs no quotes`(column: String) throws {
        let columns = try leastFolder(leastProject, "columns:\n  id: \(column)\n").load().sources[0].contract.columns
        #expect(columns.map(\.type) == [.decimal(precision: 12, scale: 2)])
        #expect(columns[0].nullable == !column.contains("nullable"))
    }

    @Test func `shares may be given in part`() throws {
        func split(_ text: String) throws -> [Double] {
            let split = try leastFolder(leastProject + "\n    split: {\(text)}\n").load().models[0].plan.split
            return [split.train, split.validation, split.test].map { ($0 * 1000).rounded() / 1000 }
        }
        #expect(try split("train: 0.8, validation: 0, test: 0.2") == [0.8, 0, 0.2])
        #expect(try split("train: 0.75") == [0.75, 0, 0.25])
        #expect(try split("test: 0.25") == [0.75, 0, 0.25])
        #expect(try split("validation: 0.1, test: 0.1") == [0.8, 0.1, 0.1])
    }

    @Test func `the key or the group may be named for the split`() throws {
        let project = leastProject + "\n    group: person\n    split: {by: person}\n"
        #expect(try leastFolder(project).load().models[0].plan.split.by == .group)
        #expect(try leastFolder(project.changing("by: person", "by: id")).load().models[0].plan.split.by == .key)
    }

    @Test func `a split seed from outside replaces every model's`() throws {
        let project = try Project.load(try fullFolderPath(), splitSeed: 99, learners: TemporaryFolder.learners)
        #expect(project.models.map(\.plan.split.seed) == [99, 99])
    }

    private func fullFolderPath() throws -> String {
        let folder = try fullFolder()
        Self.kept.append(folder)
        return folder.path
    }

    nonisolated(unsafe) private static var kept: [Folder] = []

    @Test func `reads the SQL files of both layers, lowercase, sorted`() throws {
        let folder = try leastFolder()
        try folder.write("transforms/gold/Visits.sql", "SELECT 1 AS a")
        try folder.write("transforms/silver/b.sql", "SELECT 2 AS b")
        try folder.write("transforms/silver/a.sql", "SELECT 3 AS c")
        try folder.write("transforms/silver/notes.md", "no table")
        let transforms = try folder.load().transforms
        #expect(transforms.map(\.table.description) == ["silver.a", "silver.b", "gold.visits"])
        #expect(transforms[2].file == folder.path + "/transforms/gold/Visits.sql")
        #expect(transforms[2].sql == "SELECT 1 AS a")
    }

    @Test func `reads how a table is built and since when a value is known`() throws {
        let folder = try leastFolder(
            leastProject + "\ntransforms: {silver.a: {incremental: {by: at, lookback: 36 hours}}}\n")
        try folder.write("transforms/silver/a.sql", "SELECT 1 AS a")
        let contract = """
            event_time: at
            available_at: seen
            columns:
              at: {type: timestamp}
              seen: {type: timestamp}
              done: {type: date}
              result: {type: text, available_at: done}
            """
        let loaded = try folder.load()
        #expect(loaded.transforms[0].incremental == Transform.Incremental(by: "at", lookback: 36 * 3600))
        try folder.write("contracts/\(loaded.sources[0].name).yaml", contract)
        let read = try folder.load().sources[0].contract
        #expect(read.eventTime == "at" && read.availableAt == "seen")
        #expect(read.columns.map(\.availableAt) == [nil, nil, nil, "done"])
        for (wrong, says) in [("event_time: att", "Did you mean at?"), ("event_time: result", "a moment is")] {
            try folder.write(
                "contracts/\(loaded.sources[0].name).yaml", contract.replacing("event_time: at", with: wrong))
            let error = #expect(throws: MartletError.self) { _ = try folder.load() }
            #expect(error?.code == "contract.time")
            #expect("\(error?.message ?? "") \(error?.remedy ?? "")".contains(says))
        }
    }

    @Test(arguments: [
        ("{silver.b: {}}", "config.no-transform"),
        ("{silver.a: {incremental: {by: at, lookback: 3}}}", "config.duration"),
    ])
    func `refuses a table that is not there and a length of time without unit`(transforms: String, code: String) throws
    {
        let folder = try leastFolder(leastProject + "\ntransforms: \(transforms)\n")
        try folder.write("transforms/silver/a.sql", "SELECT 1 AS a")
        let error = #expect(throws: MartletError.self) { _ = try folder.load() }
        #expect(error?.code == code)
    }

    @Test func `anchors and comments are plain YAML`() throws {
        let project = leastProject + "\n    # the end\n    features: &f {exclude: [a]}\n"
        #expect(try leastFolder(project).load().models[0].exclude == ["a"])
    }

    @Test func `finds the project upwards`() throws {
        let folder = try leastFolder()
        try folder.write("a/b/c.txt", "")
        #expect(try Project.find(from: folder.path + "/a/b") == folder.path)
        #expect(throws: MartletError.self) { _ = try Project.find(from: "/nowhere/at/all") }
    }

    @Test func `finds a model by name, or the only one`() throws {
        let least = try leastFolder().load()
        #expect(try least.model(nil).name == "least")
        let full = try fullFolder().load()
        #expect(try full.model("second").name == "second")
        let several = #expect(throws: MartletError.self) { _ = try full.model(nil) }
        #expect(several?.remedy?.contains("first-model, second") == true)
        let misspelt = #expect(throws: MartletError.self) { _ = try full.model("secnod") }
        #expect(misspelt?.remedy == "Did you mean second?")
    }
}
