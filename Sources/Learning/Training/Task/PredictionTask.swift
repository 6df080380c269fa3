/// What a model predicts: the form of its labels, how raw scores become outcomes, and how these are judged.
///
/// A value carries the task's settings from a project file. Each task stands in a folder of its own, and is listed in
/// ``PredictionTasks``; everything else goes through this protocol and the three that it names.
///
/// ```swift
/// let task = BinaryTask(calibration: .platt, threshold: .fixed(0.3))
/// let rule = try task.rule(labels: labels, scores: raw)
/// let outcomes = try rule.outcomes(of: raw)
/// let report = try task.evaluate(outcomes, labels: labels, by: rule, groups: nil, bootstrap: Bootstrap())
/// ```
///
/// As JSON its settings are members of the plan; `encode` writes them and nothing else.
package protocol PredictionTask: Sendable, Equatable, Codable {
    /// Label of a row: 0 or 1 for binary models.
    associatedtype Label: TrainingLabel
    /// What turns raw scores into outcomes, fitted on the validation rows.
    associatedtype Rule: OutcomeRule
    /// Result of an evaluation.
    associatedtype Report: Evaluation

    /// Name, metrics and figures of the task.
    static var descriptor: TaskDescriptor { get }

    /// Reads the task's settings of a model in a project file that fits the schema.
    init(_ settings: some TaskSettings) throws

    /// Throws for settings that cannot be carried out.
    /// - Parameter hasValidation: whether the split holds out validation rows.
    func check(hasValidation: Bool) throws

    /// The settings by name, as a run records them: `threshold.fixed` → `0.5`.
    var parameters: [String: String] { get }

    /// Reads the labels of a target column; `nil` for a row without one. Throws for a column that does not fit the task.
    static func labels(of target: TargetColumn) throws -> [Label?]

    /// The class of each label, for stratified splits and the check that no part has rows of one class only; `nil` for a
    /// task without classes. Throws for labels that nothing can be learned from.
    static func classes(of labels: [Label]) throws -> [UInt8]?

    /// The size of a part with these labels.
    static func size(of labels: [Label]) -> ModelRecord.PartSize

    /// Finds features that tell the target almost alone, by the given rows.
    static func suspects(_ columns: [NamedColumn], labels: [Label?], rows: [Int]) -> [LeakageWarning]

    /// Fits the rule on the validation rows.
    /// - Parameter scores: raw scores of the validation rows; `nil` when the split holds none out.
    func rule(labels: [Label], scores: [Double]?) throws -> Rule

    /// Evaluates outcomes against labels.
    /// - Parameters:
    ///   - groups: the clusters of the intervals; `nil` takes every row by itself.
    ///   - bootstrap: `nil` leaves out intervals that need resampling.
    func evaluate(
        _ outcomes: [Rule.Outcome], labels: [Label], by rule: Rule, groups: [String]?, bootstrap: Bootstrap?
    ) throws -> Report
}

extension PredictionTask {
    package static func size(of labels: [Label]) -> ModelRecord.PartSize { .init(rows: labels.count, positives: nil) }

    package static func suspects(_ columns: [NamedColumn], labels: [Label?], rows: [Int]) -> [LeakageWarning] { [] }
}

/// Name of a task, with its metrics and other figures in the order of pages.
package struct TaskDescriptor: Sendable {
    /// Name in project files and stored plans: "binary".
    package let name: String
    /// Names under which project files may have it as well.
    package var otherNames: [String] = []
    /// The metrics of an evaluation.
    package let metrics: [Metric]
    /// The metrics shown where there is room for few.
    package let headlines: [Metric]
    /// Further figures of an evaluation besides the metrics: "cost_per_1000".
    package var figures: [String] = []
    /// Figures that are whole numbers.
    package var counts: [String] = ["rows"]
}

/// The settings of a model in a project file, as a task reads them.
package protocol TaskSettings {
    /// The value of a key; `nil` when it is not there.
    subscript(key: String) -> Self? { get }
    /// The value as it is written.
    var text: String { get }
    /// The value as a number; `nil` for another text.
    var number: Double? { get }
}
