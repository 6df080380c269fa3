package import Core
internal import Synchronization

/// Holds the deployment that currently answers for one model; swapping it is atomic.
///
/// ```swift
/// slot.swap(to: FixedDeployment(try Arm(model)))
/// guard let deployment = slot.deployment else { throw notReady }
/// ```
///
/// A request takes the deployment once, when it begins, and keeps it.
package final class ModelSlot: Sendable {
    /// The model whose version the slot holds.
    package let key: ModelKey
    private let state = Mutex<State>(State())

    private let scored = Atomic<Int>(0)
    private let awaited = Atomic<Bool>(true)

    /// Whether some version should answer; false before the first one was approved.
    package var isAwaited: Bool {
        get { awaited.load(ordering: .relaxed) }
        set { awaited.store(newValue, ordering: .relaxed) }
    }

    private struct State {
        var deployment: (any Deployment)?
        var trouble: String?
    }

    /// How long a version may answer while the registry does not say which one is to.
    private let freshness: Freshness?

    /// Makes a slot without a version.
    /// - Parameter freshness: how long a version may answer while the registry cannot be read; `nil`: for ever.
    package init(_ key: ModelKey, freshness: Freshness? = nil) {
        self.key = key
        self.freshness = freshness
    }

    /// The deployment that answers; `nil` before a version is loaded, and while the registry was not read for too long.
    package var deployment: (any Deployment)? { isStale ? nil : state.withLock { $0.deployment } }

    /// The version that answers requests about nobody in particular; `nil` when none answers.
    package var served: ServedModel? { isStale ? nil : loaded }

    /// The version that was loaded last, whether it may still answer or not.
    package var loaded: ServedModel? { state.withLock { $0.deployment }?.route(nil).answering.model }

    /// Whether the registry was not read for longer than the limit.
    ///
    /// The version may have been blocked meanwhile.
    package var isStale: Bool { freshness?.isStale ?? false }

    /// Records that the registry confirmed the version now.
    package func confirm() { freshness?.confirm() }

    /// Why a newer version could not be loaded, or is unknown; `nil` if all is well.
    package var trouble: String? { state.withLock { $0.trouble } }

    /// Number of rows scored, whatever the version.
    package var predictions: Int { scored.load(ordering: .relaxed) }

    /// Adds to the number of rows scored.
    package func count(_ rows: Int) { scored.add(rows, ordering: .relaxed) }

    /// Makes a deployment answer new requests; returns the previous one.
    @discardableResult
    package func swap(to next: any Deployment) -> (any Deployment)? {
        state.withLock { state in
            defer { state = State(deployment: next, trouble: nil) }
            return state.deployment
        }
    }

    /// Records why the slot could not be updated (the version that answers stays), or `nil` when it was.
    package func note(trouble: String?) { state.withLock { $0.trouble = trouble } }
}
