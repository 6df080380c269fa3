import TestSupport

extension BadInput {
    static let configuration: [BadInput] = [
        yaml(
            "a misspelt key in martlet.yaml", "parameters:", "paramters:", "config.unknown-key",
            "martlet.yaml:15", "models[0].learner.paramters", "Did you mean parameters?"),
        yaml(
            "a misspelt key over a block", "    learner:\n", "    learnr:\n", "config.unknown-key", "martlet.yaml:13",
            "Did you mean learner?"),
        yaml(
            "an unknown key far from any other", "    approval: none", "    wholly_else: 1", "config.unknown-key",
            "Possible keys"),
        yaml("a tab in YAML", "    key: visit_id", "\tkey: visit_id", "config.yaml", "martlet.yaml:8"),
        yaml(
            "a repeated key in YAML", "    key: visit_id", "    key: visit_id\n    key: visit_id", "config.yaml", "key",
            "twice"),
        yaml("an open bracket in YAML", "name: wards", "name: [wards", "config.yaml", "martlet.yaml"),
        yaml(
            "text where a number belongs", "rounds: 40", "rounds: many", "config.value", "rounds", "whole number",
            "many"),
        yaml("a list where a text belongs", "table: gold.visits", "table: [gold.visits]", "config.value", "text"),
        yaml("a missing key", "    table: gold.visits\n", "", "config.missing-key", "table"),
        yaml("a value out of its range", "train: 0.6", "train: 1.6", "config.value", "from 0"),
        yaml("split shares above one", "train: 0.6", "train: 0.9", "split.shares", "sum to", "martlet.yaml"),
        yaml(
            "a split without test rows", "train: 0.6, validation: 0.2, test: 0.2",
            "train: 0.8, validation: 0.2, test: 0",
            "split.shares", "above 0"),
        yaml(
            "calibration without held-out rows", "validation: 0.2, test: 0.2", "validation: 0, test: 0.4",
            "split.no-validation", "platt"),
        yaml("a split by time without a time", "kind: hash", "kind: time", "split.no-event-time", "event_time"),
        yaml("bands in the wrong order", "medium: 0.3", "medium: 0.8", "bands.order"),
        yaml(
            "a gate on an unknown metric", "metric: roc_auc", "metric: roc_acu", "config.value", "Did you mean roc_auc?"
        ),
        yaml("a gate without a bound", ", at_least: 0.6", "", "gate.no-bound"),
        yaml(
            "a gate on folds that there are none of", "at_least: 0.6}", "at_least: 0.6, part: cv}",
            "gate.no-cross-validation", "cross_validation"),
        yaml("an unknown learner", "kind: lightgbm", "kind: lightgmb", "config.value", "Did you mean lightgbm?"),
        yaml(
            "an unknown learner parameter", "num_leaves: 4", "num_leafs: 4", "learner.unknown-parameter",
            "martlet.yaml:15, models[0].learner.parameters.num_leafs", "Did you mean num_leaves?"),
        yaml(
            "a learner parameter that Martlet sets", "num_leaves: 4", "num_threads: 4", "learner.reserved-parameter",
            "num_threads"),
        yaml("a learner parameter of no sense", "num_leaves: 4", "num_leaves: -4", "training.failed", "num_leaves"),
        yaml(
            "regression by name", "    key: visit_id", "    task: regression\n    key: visit_id", "model.task",
            "regression"),
        yaml(
            "a target whose parts are features", "column: outcome", "column: weight", "leak.target",
            "weight_per_reading"),
        yaml("a multi-class target", "column: outcome", "column: ward", "model.not-binary", "multi-class", "east"),
        yaml(
            "a positive value that never comes", "positive: \"yes\"", "positive: \"Yes\"", "model.no-positive", "Yes",
            "no"),
        yaml(
            "a target that is no column", "column: outcome", "column: outcom", "model.no-column",
            "Did you mean outcome?"),
        yaml("a key that is no column", "key: visit_id", "key: visit", "model.no-column", "visit"),
        yaml(
            "a group that is no column", "    key: visit_id", "    group: person\n    key: visit_id", "model.no-column",
            "person"),
        yaml("a feature that is the target", "exclude: [note]", "include: [weight, outcome]", "leak.target", "outcome"),
        yaml(
            "include and exclude at once", "exclude: [note]", "exclude: [note]\n      include: [weight]",
            "model.features"),
        yaml("a model's table without SQL", "table: gold.visits", "table: gold.visit", "lake.no-table", "gold.visit"),
        yaml("a model on bronze", "table: gold.visits", "table: bronze.visits", "model.table"),
        yaml("a project name of blanks", "name: wards", "name: \" \"", "config.name"),
        BadInput("martlet.yaml is empty", "config.empty") { try $0.write("martlet.yaml", "") },
        BadInput("martlet.yaml is not UTF-8", "config.encoding", "UTF-8") {
            try $0.write("martlet.yaml", bytes: Array("name: caf".utf8) + [0xE9, 10])
        },
        BadInput("martlet.yaml holds only a number", "config.value", "keys and values") {
            try $0.write("martlet.yaml", "42\n")
        },
        BadInput("no martlet.yaml", ["run", "--project", "contracts"], "project.none", "martlet init"),
    ]

    private static func contract(_ name: String, _ old: String, _ new: String, _ code: String, _ words: String...)
        -> BadInput
    {
        var bad = BadInput(name, code) { try $0.edit("contracts/visits.yaml", old, new) }
        bad.words = ["contracts/visits.yaml"] + words
        return bad
    }

    /// Something that only the engine can tell, once a file has come.
    private static func late(_ name: String, _ old: String, _ new: String, _ word: String) -> BadInput {
        var bad = BadInput(name, "contract.rule") { place in
            try place.edit("contracts/visits.yaml", old, new)
            try place.write("landing/visits/new.csv", Wards.csv(Wards.rows(5001..<5003)))
        }
        bad.words = [word]
        return bad
    }

    static let contracts: [BadInput] = [
        contract(
            "a misspelt key in a contract", "nullable: false}\n  seen", "nullible: false}\n  seen",
            "config.unknown-key", "visits.yaml:7", "columns.visit_id.nullible", "Did you mean nullable?"),
        contract("an unknown type", "type: bigint", "type: bigin", "contract.type", "Did you mean bigint?"),
        contract("a key that is no column", "key: [visit_id]", "key: [visit]", "contract.key", "visit"),
        contract("a bound that is no number", "min: 20", "min: twenty", "contract.bound", "twenty"),
        contract("a range upside down", "min: 20", "min: 2000", "contract.range"),
        contract("a pattern on numbers", "min: 20, ", "pattern: \"[0-9]+\", ", "contract.pattern", "text only"),
        late("a broken regular expression", "note: {type: text}", "note: {type: text, pattern: \"[a-\"}", "[a-"),
        contract(
            "a bound that is no date", "seen_at: {type: timestamp", "seen_at: {type: timestamp, min: whenever",
            "contract.bound", "whenever"),
        contract(
            "an unknown policy", "on_key_conflict: reject", "on_key_conflict: latest-win", "config.value",
            "Did you mean latest-wins?"),
        contract("a share above one", "max_rejected: 0.2", "max_rejected: 20", "config.value", "from 0"),
        contract("a reserved column name", "note: {type: text}", "_note: {type: text}", "contract.reserved"),
        contract(
            "two columns of one name in other cases", "note: {type: text}", "Ward: {type: text}",
            "contract.repeated-column"),
        BadInput("a contract that is not there", "config.no-contract", "contracts/visits.yaml") {
            try $0.remove("contracts/visits.yaml")
        },
    ]
}
