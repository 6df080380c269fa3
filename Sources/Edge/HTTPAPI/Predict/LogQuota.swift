internal import Synchronization

/// Limits how many bytes each client's batches may add to the prediction logs in an hour.
///
/// By a bucket that empties steadily (as ``RateLimiter`` has it). What was added is counted when it is known, so a
/// client may be over by a block.
final class LogQuota: Sendable {
    private struct Level {
        var bytes: Double
        var at: Double
    }

    private let perHour: Double
    private let levels = Mutex<[String: Level]>([:])

    /// - Parameter perHour: bytes.
    init(perHour: Int) { self.perHour = Double(max(1, perHour)) }

    /// - Parameter now: seconds of a clock that only goes forward.
    /// - Returns: `nil` when the client's batches may be logged, else the seconds after which a tenth is free again.
    func wait(_ client: String, at now: Double) -> Int? {
        let level = levels.withLock { $0[client].map { left($0, now) } ?? 0 }
        guard level >= perHour else { return nil }
        return max(1, Int(((level - 0.9 * perHour) / perHour * 3600).rounded(.up)))
    }

    func add(_ bytes: Int, of client: String, at now: Double) {
        levels.withLock { levels in
            let level = (levels[client].map { left($0, now) } ?? 0) + Double(bytes)
            levels[client] = Level(bytes: level, at: now)
            if levels.count > 1024 { levels = levels.filter { left($0.value, now) > 0 } }
        }
    }

    private func left(_ level: Level, _ now: Double) -> Double {
        max(0, level.bytes - (now - level.at) * perHour / 3600)
    }
}
