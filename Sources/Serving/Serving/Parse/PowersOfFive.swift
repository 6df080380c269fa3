/// Table of the most significant 128 bits of 5^q for q from -342 to 308, for Lemire's method.
///
/// D. Lemire, "Number parsing at a gigabyte per second", Software: Practice and Experience 51, 2021, section 6:
/// truncated for q >= 0, rounded up for q < 0. Computed with integers when first needed, in less than a millisecond.
enum PowersOfFive {
    static let least = -342
    static let greatest = 308

    /// High and low word of 5^(least + index).
    static let table: [(high: UInt64, low: UInt64)] = {
        var table: [(high: UInt64, low: UInt64)] = []
        table.reserveCapacity(greatest - least + 1)
        var negative: [(high: UInt64, low: UInt64)] = []
        var power = Whole(1)
        for q in 1...(-least) {
            power.multiply(by: 5)
            // floor(2^b / 5^q) + 1 with b such that 128 bits or a few more come out; cut to 128.
            let bits = power.bitWidth
            let shift = q <= 27 ? bits + 127 : 2 * bits + 128
            var quotient = Whole(powerOfTwo: shift)
            quotient.divideByFive(times: q)
            quotient.addOne()
            negative.append(quotient.leading128)
        }
        table.append(contentsOf: negative.reversed())
        power = Whole(1)
        for q in 0...greatest {
            if q > 0 { power.multiply(by: 5) }
            table.append(power.leading128)
        }
        return table
    }()

    /// An integer of any size, least significant word first.
    private struct Whole {
        private var words: [UInt64]

        init(_ value: UInt64) { words = [value] }

        init(powerOfTwo exponent: Int) {
            words = [UInt64](repeating: 0, count: exponent / 64 + 1)
            words[exponent / 64] = 1 << UInt64(exponent % 64)
        }

        var bitWidth: Int { words.count * 64 - (words.last?.leadingZeroBitCount ?? 0) }

        mutating func multiply(by factor: UInt64) {
            var carry: UInt64 = 0
            for index in words.indices {
                let product = words[index].multipliedFullWidth(by: factor)
                let (sum, overflow) = product.low.addingReportingOverflow(carry)
                words[index] = sum
                carry = product.high + (overflow ? 1 : 0)
            }
            if carry > 0 { words.append(carry) }
        }

        /// floor(self / 5^times); dividing again and again comes to the same as dividing once.
        mutating func divideByFive(times: Int) {
            var left = times
            while left > 0 {
                let step = min(left, 27)
                var divisor: UInt64 = 1
                for _ in 0..<step { divisor *= 5 }
                var rest: UInt64 = 0
                for index in words.indices.reversed() {
                    (words[index], rest) = divisor.dividingFullWidth((rest, words[index]))
                }
                while words.count > 1, words.last == 0 { words.removeLast() }
                left -= step
            }
        }

        mutating func addOne() {
            for index in words.indices {
                words[index] &+= 1
                if words[index] != 0 { return }
            }
            words.append(1)
        }

        /// The 128 most significant bits, the first of them 1.
        var leading128: (high: UInt64, low: UInt64) {
            let shift = words.last?.leadingZeroBitCount ?? 0
            func word(_ place: Int) -> UInt64 {
                func at(_ index: Int) -> UInt64 { index >= 0 && index < words.count ? words[index] : 0 }
                let index = words.count - 1 - place
                return shift == 0 ? at(index) : at(index) << UInt64(shift) | at(index - 1) >> UInt64(64 - shift)
            }
            return (word(0), word(1))
        }
    }
}
