import Core
import Foundation
import Projects
import TestSupport
import Testing
import Training

typealias Folder = TemporaryFolder

extension TemporaryFolder {
    /// A boosted learner that takes any parameters, and the forest.
    static let learners: LearnerCatalogue = {
        struct Boosted: Learner {
            let kind = "lightgbm"

            func fit(
                _ train: FeatureMatrix, labels: [UInt8], validation: (FeatureMatrix, [UInt8])?, seed: Int, threads: Int
            ) throws -> FittedModel { throw MartletError(.defect, "test.learner", "It does not learn.") }
        }
        let boosted = LearnerDescriptor(
            kind: "lightgbm", defaultRounds: 500, format: "lightgbm-text", library: .init(name: "none") { "" },
            make: { _ in Boosted() },
            scorer: { _, _ in throw MartletError(.defect, "test.learner", "It does not score.") })
        return LearnerCatalogue([boosted, RandomForestLearner.descriptor(readBy: boosted)])
    }()

    func load() throws -> Project { try Project.load(path, learners: Self.learners) }

    /// The error of loading; records an issue when there is none.
    func refusal(sourceLocation: SourceLocation = #_sourceLocation) throws -> MartletError? {
        do { _ = try load() } catch let error as MartletError { return error }
        Issue.record("the project was accepted", sourceLocation: sourceLocation)
        return nil
    }
}

extension String {
    /// The text with one place changed; an issue when it is not there exactly once.
    func changing(_ old: String, _ new: String, sourceLocation: SourceLocation = #_sourceLocation) -> String {
        if ranges(of: old).count != 1 {
            Issue.record("\(old) is there \(ranges(of: old).count) times", sourceLocation: sourceLocation)
        }
        return replacing(old, with: new)
    }

    /// 1-based number of the first line that holds a text.
    func line(of part: String) -> Int? {
        split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains(part) }.map { $0 + 1 }
    }
}

/// Every key of martlet.yaml, each with another value than its default.
let fullProject = """
    name: everything
    description: one of each
    metadata: postgres://martlet@db.example:5433/everything
    transforms_folder: sql
    transforms: {silver.visits: {incremental: {by: at, lookback: 2 weeks, lookahead: 1 hour}}}
    sources:
      visits:
        contract: contracts/visits-v2.yaml
        format: csv
        landing: arrivals/visits
        quiet: 5
        ready: _SUCCESS
        csv:
          delimiter: ";"
          quote: "'"
          escape: '\\'
          comment: "#"
          header: true
          encoding: latin-1
          decimal: ","
          thousands: "."
          missing: ["?", "n/a"]
          trim: true
          skip_lines: 3
      scans:
        format: parquet
        landing: /var/spool/scans
      wards:
        format: excel
        excel: {sheet: "Wards 2026", skip_rows: 2, missing: ["-"], trim: true}
      events:
        format: jsonl
        jsonl: {missing: ["?"]}
    models:
      - name: first-model
        table: gold.visits
        key: visit_id
        target:
          column: outcome
          positive: NO
        task: binary_classification
        group: person
        event_time: at
        features:
          exclude: [note, "free text"]
          categorical: [ward]
          rare_below: 25
          missing: native
        split:
          kind: time
          seed: 7
          by: key
          train: 0.5
          validation: 0.2
          test: 0.3
        cross_validation: {folds: 4, seed: 9, gap: 2 days}
        learner:
          kind: lightgbm
          parameters: {num_leaves: 7, boost_from_average: false, objective: binary, label: "12"}
          rounds: 77
          early_stopping: 11
          seed: 5
        calibration: isotonic
        threshold: {cost: {false_negative: 8, false_positive: 2, rule: theoretical}}
        bands: {medium: 0.2, high: 0.6}
        entity: patient
        input:
          unknown_category: reject
          missing_column: missing
          wrong_type: warn
          out_of_range: missing
          unknown_column: reject
          columns:
            age: {out_of_range: reject, missing_column: warn, wrong_type: reject, min: 0, max: 120}
            ward: {unknown_category: missing}
        bootstrap: {replicates: 250, seed: 3}
        gates:
          - {metric: roc_auc, at_least: 0.7}
          - {metric: ece, part: validation, at_most: 0.05}
          - {metric: recall, part: cv, at_least: 0.1, at_most: 0.9}
        process:
          record: visits
          rows: {scans: {same: [visit_id], lookback: 2 days}}
        approval: required
      - name: second
        table: silver.visits
        key: visit_id
        target: {column: outcome, positive: 1}
        features: {include: [a, b]}
        learner: {kind: random_forest, parameters: {n_estimators: 10, class_weight: balanced}}
        threshold: {fixed: 0.25}
    """

/// The least that a project needs.
let leastProject = """
    name: least
    sources:
      visits: {}
    models:
      - name: least
        table: gold.visits
        key: id
        target: {column: y, positive: "1"}
        learner: {kind: lightgbm}
    """

/// Every key of a contract, each with another value than its default.
let fullContract = """
    description: one row a visit
    on_violation: reject-file
    max_rejected: 0.25
    key: [visit_id, at]
    on_key_conflict: latest-wins
    event_time: at
    available_at: day
    columns:
      visit_id: {type: bigint, position: 2, nullable: false, min: 1, max: 1e12}
      at: {type: timestamp, format: "%d.%m.%Y %H:%M", min: "01.01.2020 00:00"}
      day: {type: date, min: 2020-01-01}
      ward:
        type: text
        from: [Ward, "Ward (name)"]
        optional: true
        allowed: [NO, yes, 12, "a b"]
        pattern: "[A-Z]+"
        missing: ["-", unknown]
        on_violation: warn
        pii: quasi
        description: where
      cost: {type: "decimal(12, 2)", unit: EUR}
      score: {type: double, min: -0.5, max: 0.5, available_at: day}
      count: {type: integer, allowed: [1, 2, 3]}
      flag: {type: boolean}
    """

let leastContract = """
    columns:
      id: {type: bigint}
    """

/// A folder with both files of the fullest project.
func fullFolder(_ project: String = fullProject, _ contract: String = fullContract) throws -> Folder {
    let folder = try Folder()
    try folder.write("martlet.yaml", project)
    try folder.write("contracts/visits-v2.yaml", contract)
    for source in ["scans", "wards", "events"] { try folder.write("contracts/\(source).yaml", leastContract) }
    try folder.write("sql/silver/visits.sql", "SELECT * FROM bronze.visits")
    return folder
}

func leastFolder(_ project: String = leastProject, _ contract: String = leastContract) throws -> Folder {
    let folder = try Folder()
    try folder.write("martlet.yaml", project)
    try folder.write("contracts/visits.yaml", contract)
    return folder
}
