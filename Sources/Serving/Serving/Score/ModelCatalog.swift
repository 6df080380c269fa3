package import Core

/// The models of a server, in the order in which they were asked for; the first is the default one.
package struct ModelCatalog: Sendable {
    package let slots: [ModelSlot]
    private let byKey: [ModelKey: ModelSlot]

    /// - Parameter freshness: makes the one of each model; see ``ModelSlot/served``.
    package init(_ keys: [ModelKey], freshness: () -> Freshness? = { nil }) {
        slots = keys.map { ModelSlot($0, freshness: freshness()) }
        byKey = Dictionary(slots.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The slot of a model; of the first one when none is named, of a project's first one when only that is.
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

    /// The slot of a model named as in its project, or PROJECT.MODEL.
    /// - Throws: `serving.unknown-model`.
    package func slot(named name: String) throws -> ModelSlot {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return parts.count == 2
            ? try slot(project: parts[0], model: parts[1]) : try slot(project: nil, model: name)
    }

    /// Whether every model that has a version to answer with answers, and at least one does.
    package var isReady: Bool {
        slots.allSatisfy { $0.served != nil || !$0.isAwaited }
            && (slots.isEmpty || slots.contains { $0.served != nil })
    }
}
