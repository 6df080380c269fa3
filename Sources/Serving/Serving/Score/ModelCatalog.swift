package import Core

/// The models that a server serves, in configured order; the first is the default.
///
/// ```swift
/// let catalog = ModelCatalog([ModelKey(project: "wards", model: "readmission")])
/// let served = try catalog.slot(project: "wards", model: "readmission").served
/// ```
package struct ModelCatalog: Sendable {
    /// One slot for each model, in configured order; the first is the default.
    package let slots: [ModelSlot]
    private let byKey: [ModelKey: ModelSlot]

    /// Makes an empty slot for each model.
    /// - Parameter freshness: makes the one of each model; see ``ModelSlot/served``.
    package init(_ keys: [ModelKey], freshness: () -> Freshness? = { nil }) {
        slots = keys.map { ModelSlot($0, freshness: freshness()) }
        byKey = Dictionary(slots.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Finds the slot of a model; the first one when none is named, a project's first one when only that is.
    /// - Throws: `serving.unknown-model`.
    package func slot(project: String? = nil, model: String? = nil) throws -> ModelSlot {
        if let project, let model, let slot = byKey[ModelKey(project: project, model: model)] { return slot }
        let fits = slots.first {
            (project == nil || $0.key.project == project) && (model == nil || $0.key.model == model)
        }
        if let fits { return fits }
        let names = slots.map { "\($0.key)" }
        let asked = [project, model].compactMap(\.self).joined(separator: "/")
        throw MartletError(
            .missing, "serving.unknown-model",
            asked.isEmpty ? "This server has no model." : "This server has no model \(asked).",
            remedy: names.isEmpty
                ? "Give `martlet serve` a project that has one." : "It has: \(names.joined(separator: ", ")).")
    }

    /// Finds the slot of a model by its name, or PROJECT.MODEL.
    /// - Throws: `serving.unknown-model`.
    package func slot(named name: String) throws -> ModelSlot {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return parts.count == 2
            ? try slot(project: parts[0], model: parts[1]) : try slot(project: nil, model: name)
    }

    /// Whether every model with an approved version can answer, and at least one does.
    package var isReady: Bool {
        slots.allSatisfy { $0.served != nil || !$0.isAwaited }
            && (slots.isEmpty || slots.contains { $0.served != nil })
    }
}
