package import Core
internal import Synchronization

/// The place of one model in a server: which version answers now.
///
/// Swapping is atomic: a request takes the version once, when it begins, and keeps it.
package final class ModelSlot: Sendable {
    package let key: ModelKey
    private let state = Mutex<State>(State())

    private let scored = Atomic<Int>(0)
    private let awaited = Atomic<Bool>(true)

    /// Whether there is a version that is to answer; no before the first one was approved.
    package var isAwaited: Bool {
        get { awaited.load(ordering: .relaxed) }
        set { awaited.store(newValue, ordering: .relaxed) }
    }

    private struct State {
        var served: ServedModel?
        var trouble: String?
    }

    /// How long a version may answer while the registry does not say which one is to.
    private let freshness: Freshness?

    /// - Parameter freshness: `nil`: for ever.
    package init(_ key: ModelKey, freshness: Freshness? = nil) {
        self.key = key
        self.freshness = freshness
    }

    /// The version that answers; `nil` until one was loaded, and while the registry has not been heard of for too long.
    package var served: ServedModel? { isStale ? nil : loaded }

    /// The version that was loaded last, whether it still may answer or not.
    package var loaded: ServedModel? { state.withLock { $0.served } }

    /// Whether the registry has not been heard of for longer than the limit: the version may have been blocked meanwhile.
    package var isStale: Bool { freshness?.isStale ?? false }

    /// The registry said which version is to answer.
    package func confirm() { freshness?.confirm() }

    /// Why a newer version could not be taken, or why it is not known whether there is one; `nil` if all is well.
    package var trouble: String? { state.withLock { $0.trouble } }

    /// Rows that were scored, whatever the version.
    package var predictions: Int { scored.load(ordering: .relaxed) }

    package func count(_ rows: Int) { scored.add(rows, ordering: .relaxed) }

    /// From now on new requests are answered by this version. Gives the one that answered until now.
    @discardableResult
    package func swap(to next: ServedModel) -> ServedModel? {
        state.withLock { state in
            defer { state = State(served: next, trouble: nil) }
            return state.served
        }
    }

    /// Notes what keeps the slot from being brought up to date (the version that answers goes on), or that nothing does.
    package func note(trouble: String?) { state.withLock { $0.trouble = trouble } }
}
