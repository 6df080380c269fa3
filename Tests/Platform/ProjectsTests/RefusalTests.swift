import Core
import Projects
import Storage
import TestSupport
import Testing

/// What a person reads who made a mistake: file, line, key, what was expected, and the likely spelling.
@Suite struct RefusalTests {
    struct Mistake: CustomTestStringConvertible, Sendable {
        var old: String
        var new: String
        var code: String
        var key: String
        /// A part of the message or remedy.
        var says: String
        /// A part of the changed line; the error must give its number.
        var line: String?
        var testDescription: String { new }

        init(_ old: String, _ new: String, _ code: String, _ key: String, _ says: String, line: String? = nil) {
            self.old = old
            self.new = new
            self.code = code
            self.key = key
            self.says = says
            self.line = line
        }
    }

    static let project: [Mistake] = [
        // Unknown keys, at each level
        Mistake(
            "description: one of each", "descripton: x", "config.unknown-key", "descripton", "Did you mean description?"
        ),
        Mistake(
            "    format: parquet", "    fromat: parquet", "config.unknown-key", "sources.scans.fromat",
            "Did you mean format?"),
        Mistake(
            "skip_lines: 3", "skiplines: 3", "config.unknown-key", "sources.visits.csv.skiplines",
            "Did you mean skip_lines?"),
        Mistake(
            "    group: person", "    groups: person", "config.unknown-key", "models[0].groups", "Did you mean group?"),
        Mistake(
            "column: outcome\n", "colum: outcome\n", "config.unknown-key", "models[0].target.colum",
            "Did you mean column?"),
        Mistake(
            "rare_below: 25", "rarebelow: 25", "config.unknown-key", "models[0].features.rarebelow",
            "Did you mean rare_below?"),
        Mistake("      by: key", "      buy: key", "config.unknown-key", "models[0].split.buy", "Did you mean by?"),
        Mistake(
            "{folds: 4", "{fold: 4", "config.unknown-key", "models[0].cross_validation.fold", "Did you mean folds?"),
        Mistake("rounds: 77", "round: 77", "config.unknown-key", "models[0].learner.round", "Did you mean rounds?"),
        Mistake("{fixed: 0.25}", "{fix: 0.25}", "config.unknown-key", "models[1].threshold.fix", "fixed"),
        Mistake(
            "false_positive: 2", "false_positiv: 2", "config.unknown-key", "models[0].threshold.cost.false_positiv",
            "Did you mean false_positive?"),
        Mistake("{medium: 0.2", "{mid: 0.2", "config.unknown-key", "models[0].bands.mid", "medium, high"),
        Mistake(
            "{replicates: 250", "{replicate: 250", "config.unknown-key", "models[0].bootstrap.replicate",
            "Did you mean replicates?"),
        Mistake(
            "{metric: roc_auc, at_least", "{metric: roc_auc, atleast", "config.unknown-key",
            "models[0].gates[0].atleast", "Did you mean at_least?"),
        // A key with a block below it is told by its own line.
        Mistake(
            "    csv:\n", "    cvs:\n", "config.unknown-key", "sources.visits.cvs", "Did you mean csv?", line: "cvs:"),
        Mistake(
            "    learner:\n", "    learnr:\n", "config.unknown-key", "models[0].learnr", "Did you mean learner?",
            line: "learnr:"),
        // Missing keys
        Mistake("name: everything\n", "", "config.missing-key", "", "The key name is missing", line: "description"),
        Mistake("    table: gold.visits\n", "", "config.missing-key", "models[0]", "The key table is missing"),
        Mistake(
            "{kind: random_forest, parameters", "{parameters", "config.missing-key", "models[1].learner",
            "The key kind is missing"),
        Mistake("{metric: ece, ", "{", "config.missing-key", "models[0].gates[1]", "The key metric is missing"),
        // Values of the wrong kind
        Mistake(
            "skip_lines: 3", "skip_lines: many", "config.value", "sources.visits.csv.skip_lines",
            "a whole number from 0 to 1000000, found many"),
        Mistake("skip_lines: 3", "skip_lines: -1", "config.value", "sources.visits.csv.skip_lines", "found -1"),
        Mistake("header: true", "header: no", "config.value", "sources.visits.csv.header", "true or false, found no"),
        Mistake(
            "missing: [\"?\", \"n/a\"]", "missing: \"?\"", "config.value", "sources.visits.csv.missing",
            "a list of text"),
        Mistake("seed: 7", "seed: 7.5", "config.value", "models[0].split.seed", "a whole number"),
        Mistake(
            "wrong_type: warn", "wrong_type: warm", "config.value", "models[0].input.wrong_type",
            "reject, missing, warn"),
        Mistake("{medium: 0.2", "{medium: 1.2", "config.value", "models[0].bands.medium", "from 0"),
        Mistake("group: person", "group: [person]", "config.value", "models[0].group", "found a list"),
        Mistake(
            "key: visit_id\n    target:\n", "key:\n    target:\n", "config.value", "models[0].key", "found nothing"),
        Mistake("{include: [a, b]}", "[a, b]", "config.value", "models[1].features", "found a list"),
        // Values that are not among those known
        Mistake("format: parquet", "format: parqet", "config.value", "sources.scans.format", "Did you mean parquet?"),
        Mistake(
            "encoding: latin-1", "encoding: latin-one", "config.value", "sources.visits.csv.encoding",
            "Did you mean latin-1?"),
        Mistake("kind: time", "kind: tiem", "config.value", "models[0].split.kind", "Did you mean time?"),
        Mistake("kind: lightgbm", "kind: lightgmb", "config.value", "models[0].learner.kind", "Did you mean lightgbm?"),
        Mistake(
            "calibration: isotonic", "calibration: isotone", "config.value", "models[0].calibration",
            "Did you mean isotonic?"),
        Mistake("metric: roc_auc", "metric: auc", "config.value", "models[0].gates[0].metric", "one of"),
        Mistake(
            "approval: required", "approval: require", "config.value", "models[0].approval", "Did you mean required?"),
        Mistake(
            "missing: native", "missing: naive", "config.value", "models[0].features.missing", "Did you mean native?"),
        // Values that do not go together
        Mistake("name: everything", "name: 1st", "config.name", "name", "not a usable name"),
        Mistake("  scans:", "  Scans:", "config.name", "sources.Scans", "Scans is not a usable source name"),
        Mistake("name: first-model", "name: second", "config.repeated-model", "", "second"),
        Mistake("name: first-model", "name: \"a b\"", "config.name", "models[0].name", "not a usable name"),
        Mistake("table: gold.visits", "table: visits", "model.table", "models[0].table", "gold.<name>"),
        Mistake("table: gold.visits", "table: bronze.visits", "model.table", "models[0].table", "gold.<name>"),
        Mistake(
            "task: binary_classification", "task: regression", "model.task", "models[0].task",
            "regression is not offered"),
        Mistake(
            "{include: [a, b]}", "{include: [a, b], exclude: [c]}", "model.features", "models[1]",
            "both include and exclude"),
        Mistake("    event_time: at\n", "", "split.no-event-time", "models[0].split", "event_time"),
        Mistake(
            "by: key", "by: ward", "split.by", "models[0].split.by", "neither the key (visit_id) nor the group (person)"
        ),
        Mistake("train: 0.5", "train: 0.6", "split.shares", "models[0]", "1"),
        Mistake("{medium: 0.2, high: 0.6}", "{medium: 0.7, high: 0.6}", "bands.order", "models[0]", ""),
        Mistake("{metric: roc_auc, at_least: 0.7}", "{metric: roc_auc}", "gate.no-bound", "models[0]", ""),
        Mistake(
            "    cross_validation: {folds: 4, seed: 9, gap: 2 days}\n", "", "gate.no-cross-validation", "models[0]",
            "cross_validation"),
        Mistake(
            "{kind: random_forest, ", "{kind: random_forest, rounds: 5, ", "learner.unknown-parameter",
            "models[1].learner.rounds", "n_estimators"),
        Mistake(
            "format: parquet", "ready: a/b\n    format: parquet", "config.value", "sources.scans.ready",
            "name of a file"),
        Mistake("format: parquet", "quiet: -1\n    format: parquet", "config.value", "sources.scans.quiet", "from 0"),
        Mistake("delimiter: \";\"", "delimiter: \"\"", "config.value", "sources.visits.csv", "one to four"),
        Mistake("quote: \"'\"", "quote: \"''\"", "config.value", "sources.visits.csv", "one character"),
        Mistake(
            "format: parquet", "csv: {trim: true}\n    format: parquet", "config.value", "sources.scans.csv", "csv only"
        ),
        Mistake(
            "contracts/visits-v2.yaml", "contracts/nothing.yaml", "config.no-contract", "sources.visits", "nothing.yaml"
        ),
        // Not YAML
        Mistake("    format: parquet", "   \tformat: parquet", "config.yaml", "", "not valid YAML"),
        Mistake("name: everything", "name: everything: else", "config.yaml", "", "not valid YAML"),
        Mistake("name: everything", "name: a\nname: b", "config.yaml", "", "comes twice"),
        Mistake("name: everything", "name: \"everything", "config.yaml", "", "not valid YAML"),
    ]

    @Test(arguments: project) func `tells a mistake in martlet.yaml`(_ mistake: Mistake) throws {
        let text = fullProject.changing(mistake.old, mistake.new)
        let folder = try fullFolder(text)
        let error = try #require(try folder.refusal())
        #expect(error.code == mistake.code, "\(error)")
        #expect("\(error.message) \(error.remedy ?? "")".contains(mistake.says), "\(error)")
        #expect(error.location?.file == folder.path + "/martlet.yaml")
        #expect(error.exitCode == 1)
        if mistake.code != "config.yaml" {
            #expect(error.location?.key ?? "" == mistake.key)
            let changed = mistake.line ?? mistake.new.split(separator: "\n").first.map(String.init)
            if let changed,
                mistake.key.split(separator: ".").last.map({ changed.contains($0) }) == true || mistake.line != nil
            {
                #expect(error.location?.line == text.line(of: changed), "\(error)")
            }
        } else {
            #expect(error.location?.line != nil)
        }
    }

    static let contract: [Mistake] = [
        Mistake(
            "description: one row a visit", "descriptoin: x", "config.unknown-key", "descriptoin",
            "Did you mean description?"),
        Mistake(
            "on_violation: reject-file", "on_violation: reject-fille", "config.value", "on_violation",
            "Did you mean reject-file?"),
        Mistake("max_rejected: 0.25", "max_rejected: 25", "config.value", "max_rejected", "from 0"),
        Mistake(
            "on_key_conflict: latest-wins", "on_key_conflict: last-wins", "config.value", "on_key_conflict",
            "Did you mean latest-wins?"),
        Mistake("key: [visit_id, at]", "key: [visit_id, att]", "contract.key", "key[1]", "Did you mean at?"),
        Mistake("key: [visit_id, at]", "key: [visit_id, ward]", "contract.key", "key[1]", "optional"),
        Mistake("min: 2020-01-01", "min: epoch", "contract.bound", "columns.day.min", "not a date"),
        Mistake("min: 2020-01-01", "allowed: [infinity]", "contract.bound", "columns.day.allowed[0]", "not a date"),
        Mistake("{type: boolean}", "{typ: boolean}", "config.unknown-key", "columns.flag.typ", "Did you mean type?"),
        Mistake("{type: boolean}", "{nullable: true}", "config.missing-key", "columns.flag", "The key type is missing"),
        Mistake("{type: boolean}", "{type: bool}", "contract.type", "columns.flag.type", "boolean"),
        Mistake("type: double", "type: doubel", "contract.type", "columns.score.type", "Did you mean double?"),
        Mistake("\"decimal(12, 2)\"", "\"decimal(50, 2)\"", "contract.type", "columns.cost.type", "decimal"),
        Mistake("\"decimal(12, 2)\"", "\"decimal(5,6)\"", "contract.type", "columns.cost.type", "decimal"),
        Mistake("pii: quasi", "pii: some", "config.value", "columns.ward.pii", "one of none, quasi, direct"),
        Mistake("optional: true", "optional: yes", "config.value", "columns.ward.optional", "true or false"),
        Mistake("min: 1,", "min: one,", "contract.bound", "columns.visit_id.min", "not a number"),
        Mistake(
            "allowed: [1, 2, 3]", "allowed: [1, two]", "contract.bound", "columns.count.allowed[1]", "not a number"),
        Mistake("{type: boolean}", "{type: boolean, min: 0}", "contract.bound", "columns.flag.min", "numbers, dates"),
        Mistake(
            "{type: boolean}", "{type: boolean, allowed: [maybe]}", "contract.bound", "columns.flag.allowed[0]", "maybe"
        ),
        Mistake("min: -0.5, max: 0.5", "min: 0.6, max: 0.5", "contract.range", "columns.score", "above"),
        Mistake("min: 2020-01-01", "min: 2020-01-01, max: 2019-01-01", "contract.range", "columns.day", "above"),
        Mistake("{type: integer, ", "{type: integer, max: 1.5, ", "contract.bound", "columns.count.max", "1.5"),
        Mistake(
            "{type: boolean}", "{type: boolean, format: x}", "contract.format", "columns.flag", "dates and timestamps"),
        Mistake(
            "{type: boolean}", "{type: boolean, pattern: x}", "contract.pattern", "columns.flag.pattern", "text only"),
        Mistake("  flag:", "  _flag:", "contract.reserved", "columns._flag", "Rename _flag"),
        Mistake("  flag:", "  SCORE:", "contract.repeated-column", "", "SCORE"),
        Mistake("  flag:", "  score:", "config.yaml", "", "twice"),
    ]

    @Test(arguments: contract) func `tells a mistake in a contract`(_ mistake: Mistake) throws {
        let text = fullContract.changing(mistake.old, mistake.new)
        let folder = try fullFolder(fullProject, text)
        let error = try #require(try folder.refusal())
        #expect(error.code == mistake.code, "\(error)")
        #expect("\(error.message) \(error.remedy ?? "")".contains(mistake.says), "\(error)")
        #expect(error.location?.file == folder.path + "/contracts/visits-v2.yaml")
        if mistake.code != "config.yaml" { #expect(error.location?.key ?? "" == mistake.key) }
    }

    @Test func `tells files that are empty, absent or no text`() throws {
        #expect(try leastFolder("").refusal()?.code == "config.empty")
        #expect(try leastFolder("# nothing\n").refusal()?.code == "config.empty")
        #expect(try leastFolder("just a text").refusal()?.code == "config.value")
        #expect(try leastFolder("name: x\nsources: {}\n").refusal()?.code == "config.no-sources")
        #expect(try leastFolder(leastProject, "columns: {}\n").refusal()?.code == "contract.no-columns")
        let folder = try Folder()
        #expect(try folder.refusal()?.code == "disk.missing")
        try folder.write("martlet.yaml", leastProject)
        #expect(try folder.refusal()?.code == "config.no-contract")
        let latin = try leastFolder()
        try latin.write("transforms/silver/a.sql", "SELECT 1")
        let path = latin.path + "/transforms/silver/b.sql"
        #expect(try Disk.createDurably(path, [0x53, 0xE9, 0x00]))
        let error = try latin.refusal()
        #expect(error?.code == "config.encoding")
        #expect(error?.location?.file == path)
    }

    @Test func `tells all mistakes of all files at once`() throws {
        let project = fullProject.changing("rounds: 77", "rounds: many").changing("kind: time", "kind: tiem")
            .changing("    learner:\n", "    learnr:\n")
        let contract = fullContract.changing("type: double", "type: doubel").changing("min: 1,", "min: one,")
        let folder = try fullFolder(project, contract)
        let error = try #require(try folder.refusal())
        #expect(error.each.map(\.code) == ["config.value", "config.unknown-key", "contract.bound", "contract.type"])
        #expect(
            error.each.map { $0.location?.line } == [
                project.line(of: "tiem"), project.line(of: "learnr"), contract.line(of: "one,"),
                contract.line(of: "doubel"),
            ])
        #expect(error.description.ranges(of: "\nerror: ").count == 3, "\(error)")
        #expect(error.exitCode == 1)
        // What is right in form and wrong in sense, in several places.
        let senses = fullProject.changing("name: first-model", "name: \"a b\"").changing(
            "{include: [a, b]}", "{include: [a, b], exclude: [c]}"
        )
        .changing("lookback: 2 weeks", "lookback: long")
        #expect(
            try fullFolder(senses).refusal()?.each.map(\.code) == ["config.name", "model.features", "config.duration"])
    }

    @Test func `two SQL files cannot make one table`() throws {
        let folder = try leastFolder()
        try folder.write("transforms/silver/visits.sql", "SELECT 1 AS a")
        try folder.write("transforms/silver/Visits.sql", "SELECT 2 AS a")
        #expect(try folder.refusal()?.message.contains("silver.visits") == true)
    }
}
