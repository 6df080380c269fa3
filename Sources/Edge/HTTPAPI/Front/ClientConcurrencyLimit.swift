internal import Synchronization

/// Limits how many requests each client has at the same time.
final class ClientConcurrencyLimit: Sendable {
    private let held = Mutex<[String: Int]>([:])

    /// One counted request of a client, released with the value.
    final class Seat: Sendable {
        private let shares: ClientConcurrencyLimit
        private let client: String

        fileprivate init(_ shares: ClientConcurrencyLimit, _ client: String) {
            self.shares = shares
            self.client = client
        }

        deinit { shares.give(client) }
    }

    /// - Returns: `nil` when the client has `most` of them already.
    func take(_ client: String, upTo most: Int) -> Seat? {
        let isTaken = held.withLock { held in
            let own = held[client] ?? 0
            guard own < most else { return false }
            held[client] = own + 1
            return true
        }
        return isTaken ? Seat(self, client) : nil
    }

    private func give(_ client: String) {
        held.withLock { held in
            guard let own = held[client] else { return }
            held[client] = own > 1 ? own - 1 : nil
        }
    }
}
