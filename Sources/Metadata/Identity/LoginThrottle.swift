package import Core
internal import Synchronization

/// Slows down whoever guesses passwords: after a few failures a name, and an address, must wait, each time twice as
/// long. Bounded: the oldest entries go first.
///
/// Both are counted, an address with more patience, since many people may stand behind one.
package final class LoginThrottle: Sendable {
    package struct Rule: Sendable {
        /// Failures without consequence.
        package var free: Int
        /// Seconds after the first one that has.
        package var first: Int
        /// The longest wait, and how long a quiet key is remembered.
        package var longest: Int
    }

    private struct Entry {
        var failures = 0
        /// Not before this.
        var opens: Timestamp
        var last: Timestamp
    }

    package static let perName = Rule(free: 5, first: 2, longest: 900)
    package static let perAddress = Rule(free: 20, first: 2, longest: 900)
    private static let most = 20_000
    private let entries = Mutex<[String: Entry]>([:])

    package init() {}

    /// Whole seconds to wait before the next try; `nil` if there is none to wait. A try that is let in counts as failed
    /// until `succeeded` is called, so that many at once do not slip through together.
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

    /// The password was right: the name starts anew; the address gets its try back.
    package func succeeded(name: String, address: String) {
        entries.withLock { entries in
            entries["n:" + name.prefix(80)] = nil
            guard var entry = entries["a:" + address] else { return }
            entry.failures = max(0, entry.failures - 1)
            entries["a:" + address] = entry.failures == 0 ? nil : entry
        }
    }

    /// Keys that are remembered.
    package var count: Int { entries.withLock { $0.count } }

    private static func thin(_ entries: inout [String: Entry]) {
        let order = entries.sorted { $0.value.last < $1.value.last }
        for (key, _) in order.prefix(entries.count / 4) { entries[key] = nil }
    }
}
