package import Core

/// A learner that projects may name: its defaults, how it is made, and how its model files are scored.
///
/// Each learner brings its own; a program lists those that it has in a ``LearnerCatalogue``.
///
/// ```swift
/// extension LightGBMLearner {
///     package static let descriptor = LearnerDescriptor(
///         kind: "lightgbm", defaultRounds: 500, format: "lightgbm-text", library: library,
///         make: { try LightGBMLearner($0) }, scorer: { try LightGBMScorer(text: $0, threads: $1) })
/// }
/// ```
package struct LearnerDescriptor: Sendable {
    /// A library that decides what a learner's models look like.
    package struct Library: Sendable {
        /// Name of the library: "lightgbm".
        package let name: String
        /// Text that is another one when the library may give other models; part of a training's fingerprint.
        package let identity: @Sendable () throws -> String

        package init(name: String, identity: @escaping @Sendable () throws -> String) {
            self.name = name
            self.identity = identity
        }
    }

    /// Name of the learner in a project file: "lightgbm".
    package let kind: String
    /// Name of the task whose models it trains.
    package let task: String
    /// Largest number of boosting rounds where a project states none; `nil` for a learner without rounds.
    package let defaultRounds: Int?
    /// Name of the format of its model files: "lightgbm-text".
    package let format: String
    /// The library whose change asks for another training.
    package let library: Library
    /// Makes the learner of a plan; throws for parameters that it does not take.
    package let make: @Sendable (LearnerPlan) throws -> any Learner
    /// Loads a model file for scoring on so many threads.
    package let scorer: @Sendable (_ file: [UInt8], _ threads: Int) throws -> any ModelScorer

    package init(
        kind: String, task: String = PredictionTasks.standard.descriptor.name, defaultRounds: Int?, format: String,
        library: Library, make: @escaping @Sendable (LearnerPlan) throws -> any Learner,
        scorer: @escaping @Sendable (_ file: [UInt8], _ threads: Int) throws -> any ModelScorer
    ) {
        self.kind = kind
        self.task = task
        self.defaultRounds = defaultRounds
        self.format = format
        self.library = library
        self.make = make
        self.scorer = scorer
    }
}

/// The learners that a program has. What is not among them is an error that names it, never a default.
///
/// ```swift
/// let learners = LearnerCatalogue([LightGBMLearner.descriptor, RandomForestLearner.descriptor])
/// let learner = try learners.make(plan)
/// ```
package struct LearnerCatalogue: Sendable {
    /// The learners, in the order in which they are named to people.
    package let all: [LearnerDescriptor]

    package init(_ all: [LearnerDescriptor]) { self.all = all }

    /// Names of the learners.
    package var kinds: [String] { PredictionTasks.unique(all.map(\.kind)) }

    /// The learner of this name.
    /// - Throws: `model.unknown-learner`.
    package func find(_ kind: String) throws -> LearnerDescriptor {
        guard let found = all.first(where: { $0.kind == kind }) else {
            throw MartletError(
                .input, "model.unknown-learner", "There is no learner \(kind) here.",
                remedy: "Learners: \(kinds.joined(separator: ", ")).")
        }
        return found
    }

    /// Makes the learner of a plan, which trains models of the plan's task.
    /// - Throws: `model.unknown-learner`, `model.learner-task`, and what the learner has against its parameters.
    package func make(_ plan: TrainingPlan) throws -> any Learner {
        let (kind, task) = (try find(plan.learner.kind).kind, type(of: plan.task).descriptor.name)
        guard let found = all.first(where: { $0.kind == kind && $0.task == task }) else {
            throw Self.unfit(kind, for: task)
        }
        return try found.make(plan.learner)
    }

    /// The error for a learner that does not train models of a task.
    static func unfit(_ kind: String, for task: String) -> MartletError {
        MartletError(
            .input, "model.learner-task", "The learner \(kind) does not train models of the task \(task).",
            at: .init(key: "learner.kind"), remedy: "Choose another learner or another task.")
    }

    /// Loads a model file of a format for scoring.
    /// - Throws: `model.unknown-format`, `model.unreadable`.
    package func scorer(of format: String, _ file: [UInt8], threads: Int) throws -> any ModelScorer {
        guard let reader = all.first(where: { $0.format == format }) else { throw ModelRecord.unknownFormat(format) }
        return try reader.scorer(file, threads)
    }

    /// Name and identity of the library that decides what the models of a plan look like.
    package func library(of plan: LearnerPlan) throws -> String {
        let library = try find(plan.kind).library
        return "\(library.name) \(try library.identity())"
    }
}

extension ModelRecord {
    /// The error for a model file in a format that nothing here reads.
    package static func unknownFormat(_ format: String) -> MartletError {
        MartletError(
            .input, "model.unknown-format", "The model's file has the format \(format), which is not known here.",
            remedy: "Use the version of Martlet that trained it, or train again.")
    }
}
