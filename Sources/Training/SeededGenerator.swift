/// xoshiro256** (Blackman & Vigna 2021, "Scrambled linear pseudorandom number generators"), its state filled by
/// SplitMix64 (Steele, Lea & Flood 2014). The same seed and stream give the same numbers on every machine.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var s0: UInt64
    private var s1: UInt64
    private var s2: UInt64
    private var s3: UInt64

    /// - Parameters:
    ///   - seed: any number.
    ///   - stream: which of the independent sequences of this seed, such as the number of a tree.
    package init(seed: Int, stream: Int = 0) {
        var outer = SplitMix64(state: UInt64(bitPattern: Int64(seed)))
        var inner = SplitMix64(state: outer.next() ^ UInt64(bitPattern: Int64(stream)) &* 0xD134_2543_DE82_EF95)
        s0 = inner.next()
        s1 = inner.next()
        s2 = inner.next()
        s3 = inner.next()
    }

    @inline(__always)
    package mutating func next() -> UInt64 {
        let scrambled = (s1 &* 5).rotated(by: 7) &* 9
        let shifted = s1 << 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = s3.rotated(by: 45)
        return scrambled
    }

    /// A whole number in 0 ..< bound, without bias (Lemire 2019, "Fast random integer generation in an interval").
    @inline(__always)
    package mutating func below(_ bound: UInt32) -> UInt32 {
        var product = (next() >> 32) &* UInt64(bound)
        if UInt32(truncatingIfNeeded: product) < bound {
            let least = (0 &- bound) % bound
            while UInt32(truncatingIfNeeded: product) < least { product = (next() >> 32) &* UInt64(bound) }
        }
        return UInt32(truncatingIfNeeded: product >> 32)
    }
}

private struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension UInt64 {
    @inline(__always)
    fileprivate func rotated(by count: UInt64) -> UInt64 { (self << count) | (self >> (64 &- count)) }
}
