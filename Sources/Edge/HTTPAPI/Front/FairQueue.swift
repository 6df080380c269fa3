internal import Core
internal import Synchronization

/// Queue for work that few may do at the same time, and of each client only one.
///
/// Whoever comes too many waits, in order of arrival; those whose client is at work are skipped.
final class FairQueue: Sendable {
    private struct Waiter {
        let number: Int
        let client: String
        let weight: Int
    }

    private struct State {
        var free: Int
        var clients: Set<String> = []
        var waiting: [Waiter] = []
        var next = 0
    }

    private let most: Int
    private let state: Mutex<State>
    private let clock: any ExecutionClock

    /// Permission to work, released with the value.
    final class Turn: Sendable {
        private let turns: FairQueue
        private let client: String
        private let weight: Int

        fileprivate init(_ turns: FairQueue, _ client: String, _ weight: Int) {
            (self.turns, self.client, self.weight) = (turns, client, weight)
        }

        deinit {
            turns.state.withLock {
                $0.free += weight
                $0.clients.remove(client)
            }
        }
    }

    /// - Parameter most: the weight of all that are at work at the same time.
    init(_ most: Int, clock: any ExecutionClock) {
        (self.most, self.clock) = (most, clock)
        state = Mutex(State(free: most))
    }

    /// Waits for a turn.
    /// - Parameters:
    ///   - weight: what it counts for; at most all there is.
    ///   - seconds: how long it waits.
    /// - Returns: `nil` when it did not come in time.
    func take(_ client: String, weight: Int = 1, within seconds: Double) async throws -> Turn? {
        let weight = min(max(1, weight), most)
        let begun = clock.uptime()
        let number = state.withLock { state in
            state.next += 1
            state.waiting.append(Waiter(number: state.next, client: client, weight: weight))
            return state.next
        }
        defer { state.withLock { $0.waiting.removeAll { $0.number == number } } }
        while true {
            if state.withLock({ Self.begins(number, in: &$0) }) { return Turn(self, client, weight) }
            if clock.uptime() - begun >= seconds { return nil }
            try await clock.sleep(seconds: 0.02)
        }
    }

    /// Gives a waiter its turn when nobody before it could have one.
    private static func begins(_ number: Int, in state: inout State) -> Bool {
        guard let first = state.waiting.first(where: { !state.clients.contains($0.client) }),
            first.number == number, first.weight <= state.free
        else { return false }
        state.free -= first.weight
        state.clients.insert(first.client)
        return true
    }
}
