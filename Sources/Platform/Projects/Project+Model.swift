internal import Core
internal import Lakehouse
internal import SQLLineage
internal import Training

extension Project {
    /// Reads one entry under `models:`.
    static func model(_ value: YAMLValue, _ learners: LearnerCatalogue?) throws -> Model {
        let name = value["name"]?.text ?? ""
        guard name.range(isName: true) else {
            throw (value["name"] ?? value).failure(
                "config.name", "\(name) is not a usable name.",
                remedy: "Use letters, digits, - and _, beginning with a letter.")
        }
        guard let table = TableName(value["table"]?.text ?? ""), table.layer == .gold || table.layer == .silver else {
            throw (value["table"] ?? value).failure(
                "model.table", "\(value["table"]?.text ?? "") is not a gold or silver table.",
                remedy: "Write gold.<name>.")
        }
        let features = value["features"]
        if features?["include"] != nil, features?["exclude"] != nil {
            throw value.failure(
                "model.features", "features: has both include and exclude.", remedy: "Keep one of them.")
        }
        let group = value["group"]?.text
        let key = value["key"]?.text ?? ""
        var model = Model(
            name: name, table: table, key: key, target: value["target"]?["column"]?.text ?? "",
            positive: value["target"]?["positive"]?.text ?? "", group: group, eventTime: value["event_time"]?.text,
            include: features?["include"]?.items.map(\.text), exclude: features?["exclude"]?.items.map(\.text) ?? [],
            categorical: features?["categorical"]?.items.map(\.text) ?? [],
            plan: try plan(value, learners, key: key, group: group),
            needsApproval: value["approval"]?.text == "required")
        model.process.record = value["process"]?["record"]?.text
        for (source, reach) in value["process"]?["rows"]?.members ?? [] {
            model.process.rows[source] = Model.Process.Reach(
                same: reach["same"]?.items.map(\.text) ?? [], lookback: try reach["lookback"].map { try seconds($0) })
        }
        return model
    }

    private static func plan(
        _ value: YAMLValue, _ learners: LearnerCatalogue?, key: String, group: String?
    ) throws -> TrainingPlan {
        var split = SplitPlan(kind: .hash)
        if let given = value["split"] {
            split.kind = given["kind"].flatMap { .init(rawValue: $0.text) } ?? .hash
            split.seed = given["seed"]?.integer ?? 42
            if given["train"] != nil || given["validation"] != nil || given["test"] != nil {
                split.validation = given["validation"]?.number ?? 0
                split.test = given["test"]?.number ?? max(0, 1 - (given["train"]?.number ?? 0) - split.validation)
                split.train = given["train"]?.number ?? max(0, 1 - split.test - split.validation)
            }
            if let by = given["by"] { split.by = try unit(by, key: key, group: group) }
            if split.kind == .time, value["event_time"] == nil {
                throw given.failure(
                    "split.no-event-time", "A split by time needs event_time.",
                    remedy: "Add event_time: to the model.")
            }
        }
        var plan = TrainingPlan(
            split: split, learner: learner(value["learner"], learners), task: try task(value))
        plan.rareBelow = value["features"]?["rare_below"]?.integer ?? 1
        plan.missing = value["features"]?["missing"].flatMap { .init(rawValue: $0.text) } ?? .level
        if let folds = value["cross_validation"] {
            plan.crossValidation = CrossValidationPlan(
                folds: folds["folds"]?.integer ?? 5, seed: folds["seed"]?.integer ?? 42,
                gap: try folds["gap"].map { gap in
                    guard let rows = gap.integer else { return .seconds(try seconds(gap)) }
                    guard rows >= 0 else {
                        throw gap.failure("config.value", "A gap of \(rows) rows is none.", remedy: "Write 0 or more.")
                    }
                    return .rows(rows)
                })
        }
        plan.bootstrap = Bootstrap(
            replicates: value["bootstrap"]?["replicates"]?.integer ?? 1000,
            seed: value["bootstrap"]?["seed"]?.integer ?? 42)
        plan.gates = (value["gates"]?.items ?? []).map { gate in
            QualityGate(
                Metric(gate["metric"]?.text ?? ""), part: gate["part"].flatMap { .init(rawValue: $0.text) } ?? .test,
                atLeast: gate["at_least"]?.number, atMost: gate["at_most"]?.number)
        }
        plan.input = value["input"].map { input($0) }
        plan.entity = value["entity"]?.text
        do { try plan.check() } catch let error as MartletError {
            throw error.sentence().placed(at: value.location)
        }
        return plan
    }

    private static func task(_ model: YAMLValue) throws -> any PredictionTask {
        do { return try PredictionTasks.find(model["task"]?.text).init(model) } catch let error as MartletError {
            throw error.placed(at: (model["task"] ?? model).location)
        }
    }

    private static func unit(_ by: YAMLValue, key: String, group: String?) throws -> SplitPlan.Unit {
        if by.text == key || by.text == "key" { return .key }
        if let group, by.text == group || by.text == "group" { return .group }
        throw by.failure(
            "split.by", "\(by.text) is neither the key (\(key)) nor the group (\(group ?? "none")).",
            remedy: "Split by one of them.")
    }

    private static func learner(_ value: YAMLValue?, _ learners: LearnerCatalogue?) -> LearnerPlan {
        let kind = value?["kind"]?.text ?? ""
        var plan = LearnerPlan(kind: kind)
        for (name, parameter) in value?["parameters"]?.members ?? [] {
            if let flag = parameter.flag, parameter.isPlain {
                plan.parameters[name] = .flag(flag)
            } else if let number = parameter.number, parameter.isPlain {
                plan.parameters[name] = .number(number)
            } else {
                plan.parameters[name] = .text(parameter.text)
            }
        }
        plan.seed = value?["seed"]?.integer ?? 42
        plan.earlyStopping = value?["early_stopping"]?.integer ?? 0
        plan.rounds = value?["rounds"]?.integer ?? learners?.all.first { $0.kind == kind }?.defaultRounds
        return plan
    }
}

extension YAMLValue: TaskSettings {}

extension String {
    fileprivate func range(isName: Bool) -> Bool {
        (first?.isLetter ?? false) && utf8.count <= 100
            && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) }
    }
}
