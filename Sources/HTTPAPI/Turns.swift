internal import Vocabulary

/// What few may do at the same time, since each takes much memory, and of one client fewer still, so that nobody keeps the
/// others out. Whoever comes too many waits.
final class Turns: Sendable {
    private let most: Int
    private let each: Int
    private let uptime: @Sendable () -> Double
    private let pause: @Sendable (Double) async throws -> Void
    private let all = Shares()
    private let clients = Shares()

    /// A turn; it ends when the value is let go.
    typealias Turn = [Shares.Seat]

    init(
        _ most: Int, each: Int, uptime: @escaping @Sendable () -> Double,
        pause: @escaping @Sendable (Double) async throws -> Void
    ) {
        (self.most, self.each, self.uptime, self.pause) = (most, each, uptime, pause)
    }

    /// Waits for a turn.
    /// - Parameter seconds: how long at most; `nil` for as long as it takes.
    /// - Returns: `nil` when it did not come in time.
    func take(_ client: String, within seconds: Double? = nil) async throws -> Turn? {
        let begun = uptime()
        while true {
            if let own = clients.take(client, upTo: each), let seat = all.take("", upTo: most) { return [own, seat] }
            if let seconds, uptime() - begun >= seconds { return nil }
            try await pause(0.02)
        }
    }
}
