internal import Synchronization

// `withUnsafeTemporaryAllocation` takes from the stack up to a kilobyte only, and most forests of several hundred trees
// need more for a row.

/// Pool of scratch buffers, so that scoring a row allocates nothing.
///
/// Sendable: a space is used by the one caller who turned its mark from 0 to 1, until he turns it back.
final class ScratchPool: @unchecked Sendable {
    private static var slots: Int { 16 }
    /// Marks stand a cache line apart.
    private static var apart: Int { 8 }

    private let size: Int
    private let memory: UnsafeMutableRawPointer
    private let marks: UnsafeMutablePointer<Atomic<Int>>

    /// - Parameter size: the bytes of a space.
    init(size: Int) {
        self.size = (size + 63) & ~63
        memory = .allocate(byteCount: self.size * Self.slots, alignment: 64)
        marks = .allocate(capacity: Self.slots * Self.apart)
        for place in 0..<Self.slots * Self.apart { (marks + place).initialize(to: Atomic(0)) }
    }

    deinit {
        memory.deallocate()
        marks.deinitialize(count: Self.slots * Self.apart)
        marks.deallocate()
    }

    /// Calls `body` with a space aligned to 64 whose bytes are of no meaning. When all are taken, with new memory.
    @inline(__always)
    func with<Result>(_ body: (UnsafeMutableRawPointer) -> Result) -> Result {
        // Threads have stacks of their own: where this one is keeps most of them from trying the same space first.
        var here: UInt8 = 0
        let first = withUnsafeMutablePointer(to: &here) { Int(bitPattern: $0) >> 12 }
        for attempt in 0..<Self.slots {
            let slot = (first &+ first >> 9 &+ attempt) & (Self.slots &- 1)
            let mark = marks + slot &* Self.apart
            guard mark.pointee.exchange(1, ordering: .acquiring) == 0 else { continue }
            defer { mark.pointee.store(0, ordering: .releasing) }
            return body(memory + slot &* size)
        }
        let own = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        defer { own.deallocate() }
        return body(own)
    }
}
