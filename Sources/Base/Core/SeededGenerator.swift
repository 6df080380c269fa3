/// Seeded random number generator: the same seed gives the same sequence on every machine and in every release.
///
/// ```swift
/// var random = SeededGenerator(seed: 42, stream: 7)
/// let u = random.uniform()
/// let die = random.int(below: 6) + 1
/// ```
///
/// xoshiro256** 1.0 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47(4), 2021), its
/// state filled by SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) as its authors advise. Not for secrets.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    /// The four state words of xoshiro256**, from which `next` makes its result and which it then advances.
    @usableFromInline package var state: (UInt64, UInt64, UInt64, UInt64)

    package init(seed: UInt64) {
        var mixer = seed
        state = (splitMix64(&mixer), splitMix64(&mixer), splitMix64(&mixer), splitMix64(&mixer))
    }

    /// Starts one of the independent sequences of a seed, such as that of a tree by its number.
    package init(seed: Int, stream: Int) {
        var outer = UInt64(bitPattern: Int64(seed))
        self.init(seed: splitMix64(&outer) ^ UInt64(bitPattern: Int64(stream)) &* 0xD134_2543_DE82_EF95)
    }

    /// Returns the next 64 random bits.
    @inlinable package mutating func next() -> UInt64 {
        let result = rotated(state.1 &* 5, 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotated(state.3, 45)
        return result
    }

    /// Returns a uniform number in [0, 1), a multiple of 2^-53.
    package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Returns a uniform integer in 0 ..< bound, without bias; 0 when the bound is below 2.
    ///
    /// Lemire, "Fast random integer generation in an interval", 2019.
    package mutating func int(below bound: Int) -> Int {
        guard bound > 1 else { return 0 }
        let bound = UInt64(bound)
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return Int(product.high)
    }

    /// Returns a uniform integer in 0 ..< bound from 32 random bits, without bias: faster, for small bounds.
    @inlinable package mutating func below(_ bound: UInt32) -> UInt32 {
        var product = (next() >> 32) &* UInt64(bound)
        if UInt32(truncatingIfNeeded: product) < bound {
            let least = (0 &- bound) % bound
            while UInt32(truncatingIfNeeded: product) < least { product = (next() >> 32) &* UInt64(bound) }
        }
        return UInt32(truncatingIfNeeded: product >> 32)
    }

    /// Returns a standard normal number, with the same bits under every mathematics library.
    ///
    /// The sum of twelve uniforms less six (Irwin-Hall): exact in its first two moments, cut at ±6, computed by
    /// addition only.
    package mutating func normal() -> Double {
        var sum = 0.0
        for _ in 0..<12 { sum += uniform() }
        return sum - 6
    }
}

/// Rotates the bits of `x` to the left by `k`.
@usableFromInline package func rotated(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 &- k)) }

private func splitMix64(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
}
