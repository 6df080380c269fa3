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

    package init(_ key: ModelKey) { self.key = key }

    /// The version that answers; `nil` until one was loaded.
    package var served: ServedModel? { state.withLock { $0.served } }

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
