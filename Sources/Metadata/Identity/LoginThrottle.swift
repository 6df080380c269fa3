package import Core
internal import Synchronization

/// Delays repeated failed logins by name and by address, each time twice as long.
///
/// Bounded memory: the oldest entries go first. An address may fail more often than a name, since many people may share
/// one.
///
/// ```swift
/// let seconds = throttle.enter(name: name, address: address, at: now)  // nil: it may proceed
/// throttle.succeeded(name: name, address: address)
/// ```
package final class LoginThrottle: Sendable {
    /// Limits for one kind of key.
    package struct Rule: Sendable {
        /// Failures without a delay.
        package var free: Int
        /// Delay in seconds after the first failure beyond `free`.
        package var first: Int
        /// Longest delay in seconds, and how long an idle key is remembered.
        package var longest: Int
    }

    private struct Entry {
        var failures = 0
        /// Not before this.
        var opens: Timestamp
        var last: Timestamp
    }

    /// The limits for one user name.
    static let perName = Rule(free: 5, first: 2, longest: 900)
    /// The limits for one address.
    static let perAddress = Rule(free: 20, first: 2, longest: 900)
    private static let most = 20_000
    private let entries = Mutex<[String: Entry]>([:])

    package init() {}

    /// Registers a login attempt; returns the seconds to wait, or `nil` when it may proceed now.
    ///
    /// An attempt counts as failed until `succeeded` is called, so that many at once do not slip through together.
    /// - Parameter now: by a clock that only goes forward.
    package func enter(name: String, address: String, at now: Timestamp) -> Int? {
        let keys = [("n:" + name.prefix(80), LoginThrottle.perName), ("a:" + address, LoginThrottle.perAddress)]
        return entries.withLock { entries in
            var wait: Int64 = 0
            for (key, rule) in keys {
                if let entry = entries[key],
                    now.microseconds - entry.last.microseconds > Int64(rule.longest) * 2_000_000
                {
                    entries[key] = nil
                }
                if let entry = entries[key] { wait = max(wait, entry.opens.microseconds - now.microseconds) }
            }
            guard wait <= 0 else { return Int((wait + 999_999) / 1_000_000) }
            if entries.count + 2 > LoginThrottle.most { LoginThrottle.thin(&entries) }
            for (key, rule) in keys {
                var entry = entries[key] ?? Entry(opens: now, last: now)
                entry.failures += 1
                entry.last = now
                let beyond = entry.failures - rule.free
                let seconds = beyond < 0 ? 0 : min(rule.longest, rule.first << min(beyond, 20))
                entry.opens = Timestamp(microseconds: now.microseconds + Int64(seconds) * 1_000_000)
                entries[key] = entry
            }
            return nil
        }
    }

    /// Records a successful login: resets the name, and returns the attempt to the address.
    package func succeeded(name: String, address: String) {
        entries.withLock { entries in
            entries["n:" + name.prefix(80)] = nil
            guard var entry = entries["a:" + address] else { return }
            entry.failures = max(0, entry.failures - 1)
            entries["a:" + address] = entry.failures == 0 ? nil : entry
        }
    }

    /// Number of remembered keys.
    package var count: Int { entries.withLock { $0.count } }

    private static func thin(_ entries: inout [String: Entry]) {
        let order = entries.sorted { $0.value.last < $1.value.last }
        for (key, _) in order.prefix(entries.count / 4) { entries[key] = nil }
    }
}
