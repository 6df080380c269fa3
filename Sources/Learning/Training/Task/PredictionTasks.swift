internal import Core

/// The tasks that a model may have. What is not among them is an error that names it.
///
/// ```swift
/// let task = try PredictionTasks.find("binary")
/// ```
package enum PredictionTasks {
    /// The tasks, in the order in which they are named to people.
    package static let all: [any PredictionTask.Type] = [BinaryTask.self]

    /// The task of models and stored plans that name none.
    package static let standard: any PredictionTask.Type = BinaryTask.self

    /// Descriptors of all tasks.
    package static var descriptors: [TaskDescriptor] { all.map { $0.descriptor } }

    /// Metrics of all tasks, each once.
    package static var metrics: [Metric] { unique(descriptors.flatMap(\.metrics)) }

    /// Each element once, in order of appearance.
    package static func unique<Element: Hashable>(_ elements: [Element]) -> [Element] {
        var seen: Set<Element> = []
        return elements.filter { seen.insert($0).inserted }
    }

    /// The task of a name; ``standard`` for none.
    /// - Throws: `model.task`.
    package static func find(_ name: String?) throws -> any PredictionTask.Type {
        guard let name else { return standard }
        let found = all.first { ([$0.descriptor.name] + $0.descriptor.otherNames).contains(name) }
        guard let found else {
            throw MartletError(
                .input, "model.task", "The task \(name) is not offered.",
                remedy: "Tasks: \(descriptors.map(\.name).joined(separator: ", ")).")
        }
        return found
    }

    private enum Key: String, CodingKey { case task }

    /// Reads the task of a stored plan with its settings.
    static func decode(from decoder: any Decoder) throws -> any PredictionTask {
        let name = try decoder.container(keyedBy: Key.self).decodeIfPresent(String.self, forKey: .task)
        return try find(name).init(from: decoder)
    }

    /// Writes a task into a plan. ``standard`` goes without its name, as in plans of before: fingerprints stay.
    static func encode(_ task: any PredictionTask, to encoder: any Encoder) throws {
        if type(of: task) != standard {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(type(of: task).descriptor.name, forKey: .task)
        }
        try task.encode(to: encoder)
    }
}
