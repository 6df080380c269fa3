internal import Core
internal import Synchronization

/// Limits the number of concurrent batches, and lets waiting ones take the place of idle ones.
///
/// A batch that has waited for its client's bytes for a while gives its place up to another, and takes one again before
/// it continues: slow uploads keep nobody from working.
final class BatchPlaces: Sendable {
    private struct State {
        /// Those that have a place, and since when they wait for their clients.
        var holders: [Int: Double?] = [:]
        /// Those that gave theirs up, and have bytes again.
        var returning: Set<Int> = []
        var next = 0
    }

    /// A batch's place, released with the value.
    final class Place: Sendable {
        private let places: BatchPlaces
        private let number: Int

        fileprivate init(_ places: BatchPlaces, _ number: Int) {
            self.places = places
            self.number = number
        }

        /// Batches that have a place, this one included.
        var neighbours: Int { max(1, places.state.withLock { $0.holders.count }) }

        /// The batch waits for its client from now on.
        func rest(at now: Double) { places.rest(number, at: now) }

        /// Its bytes have come: returns when it has a place, or has waited long enough: what was let in goes on.
        func resume(_ clock: any ExecutionClock) async throws {
            let begun = clock.uptime()
            while true {
                let now = clock.uptime()
                if places.resume(number, at: now, anyhow: now - begun > BatchPlaces.longest) { return }
                try await clock.sleep(seconds: 0.02)
            }
        }

        /// Has it again at once, though there may be one too many then: for those who have waited for something scarcer.
        func resume(at now: Double) { _ = places.resume(number, at: now, anyhow: true) }

        /// Gives it back; it is not taken again.
        func end() { places.leave(number) }

        deinit { places.leave(number) }
    }

    /// Seconds for which one that gave its place up waits for one.
    private static let longest = 10.0
    private let most: Int
    private let patience: Double
    private let state = Mutex(State())

    /// - Parameters:
    ///   - most: batches at work at the same time.
    ///   - patience: seconds for which one keeps its place while nothing comes of it.
    init(_ most: Int, patience: Double = 0.1) {
        self.most = most
        self.patience = patience
    }

    /// - Returns: `nil` when all are at work.
    func take(at now: Double) -> Place? {
        let number: Int? = state.withLock { state in
            // Those who were here before come first.
            guard state.returning.isEmpty, makeRoom(in: &state, at: now) else { return nil }
            state.next += 1
            state.holders[state.next] = .some(nil)
            return state.next
        }
        return number.map { Place(self, $0) }
    }

    /// Whether there is a place, if need be that of the one who has waited longest for its client.
    private func makeRoom(in state: inout State, at now: Double) -> Bool {
        guard state.holders.count >= most else { return true }
        let idle = state.holders.compactMap { number, since in since.map { (since: $0, number: number) } }
        guard let longest = idle.min(by: <), now - longest.since >= patience else { return false }
        state.holders[longest.number] = nil
        return true
    }

    private func rest(_ number: Int, at now: Double) {
        state.withLock { if $0.holders[number] != nil { $0.holders[number] = .some(now) } }
    }

    private func resume(_ number: Int, at now: Double, anyhow: Bool) -> Bool {
        state.withLock { state in
            guard state.holders[number] != nil || makeRoom(in: &state, at: now) || anyhow else {
                state.returning.insert(number)
                return false
            }
            state.holders[number] = .some(nil)
            state.returning.remove(number)
            return true
        }
    }

    private func leave(_ number: Int) {
        state.withLock { state in
            state.holders[number] = nil
            state.returning.remove(number)
        }
    }
}
