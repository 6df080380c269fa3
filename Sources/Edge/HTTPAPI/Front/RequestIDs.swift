internal import Synchronization

/// Generator of request ids: 32 hexadecimal digits, the first half random by server, the second half counted.
package final class RequestIDs: Sendable {
    private let prefix: [UInt8]
    private let next: Atomic<UInt64>

    /// Makes a generator.
    /// - Parameter newID: returns 32 hexadecimal digits that nobody else has.
    package init(newID: () -> String) {
        let seed = Array(newID().utf8)
        prefix = Array(([UInt8](repeating: 48, count: 16) + seed).suffix(16))
        next = Atomic(1)
    }

    /// Returns a new request id.
    package func make() -> String {
        let number = next.add(1, ordering: .relaxed).oldValue
        return String(unsafeUninitializedCapacity: 32) { out in
            for index in 0..<16 { out[index] = prefix[index] }
            for index in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: number >> UInt64(60 - 4 * index)) & 15
                out[16 + index] = digit < 10 ? 48 + digit : 87 + digit
            }
            return 32
        }
    }
}
