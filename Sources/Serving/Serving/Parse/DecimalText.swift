internal import CLibrary

/// A decimal number parsed from text: its digits as an integer, and the power of ten to multiply by.
struct DecimalText {
    /// The first 19 significant digits.
    var digits: UInt64 = 0
    var exponent = 0
    var isNegative = false
    /// More digits follow than `digits` holds, and not all of them are 0.
    var isCut = false

    /// The nearest double, ties to even: what `strtod` gives, to the bit. Numbers too large are infinite.
    ///
    /// Three ways, the quicker first: exact arithmetic for few digits (W. D. Clinger, "How to read floating point
    /// numbers accurately", PLDI 1990), 128-bit products (D. Lemire, "Number parsing at a gigabyte per second", 2021),
    /// and `strtod` for the rare rest.
    /// - Parameter text: the bytes it was read from, for the rare rest.
    @inline(__always)
    func value(_ text: UnsafeRawBufferPointer) -> Double {
        if !isCut, exponent >= -22, exponent <= 22, digits <= 1 << 53 {
            let whole = Double(digits)
            let power = Self.powersOfTen[exponent < 0 ? -exponent : exponent]
            let value = exponent < 0 ? whole / power : whole * power
            return isNegative ? -value : value
        }
        return slowValue(text)
    }

    @inline(never)
    private func slowValue(_ text: UnsafeRawBufferPointer) -> Double {
        guard let magnitude = nearest() else { return Self.reference(text) }
        return isNegative ? -magnitude : magnitude
    }

    private func nearest() -> Double? {
        guard let value = Self.nearest(digits, exponent) else { return nil }
        // Digits that were left out decide only if the next whole number up gives another double.
        if isCut { return Self.nearest(digits + 1, exponent) == value ? value : nil }
        return value
    }

    /// The double nearest to digits x 10^exponent; `nil` where 128 bits do not tell.
    private static func nearest(_ digits: UInt64, _ exponent: Int) -> Double? {
        if digits == 0 || exponent < PowersOfFive.least { return 0 }
        if exponent > PowersOfFive.greatest { return .infinity }
        let shift = digits.leadingZeroBitCount
        let factor = digits << UInt64(shift)
        let power = PowersOfFive.table[exponent - PowersOfFive.least]
        var (high, low) = factor.multipliedFullWidth(by: power.high)
        if high & 0x1FF == 0x1FF {
            let more = factor.multipliedFullWidth(by: power.low).high
            let (sum, overflow) = low.addingReportingOverflow(more)
            low = sum
            if overflow { high += 1 }
        }
        if low == .max, exponent < -27 || exponent > 55 { return nil }
        let upper = high >> 63
        var mantissa = high >> (upper + 9)
        // floor(log2(10^exponent)) by the usual fixed-point product.
        var binary = ((217_706 * exponent) >> 16) + 64 + Int(upper) - shift - 1 + 1023
        if binary <= 0 {
            // Subnormal.
            if -binary + 1 >= 64 { return 0 }
            mantissa >>= UInt64(-binary + 1)
            mantissa += mantissa & 1
            mantissa >>= 1
            return Double(bitPattern: mantissa)
        }
        if low <= 1, exponent >= -4, exponent <= 23, mantissa & 3 == 1, mantissa << (upper + 9) == high {
            // Exactly half way: to even.
            mantissa &= ~1
        }
        mantissa += mantissa & 1
        mantissa >>= 1
        if mantissa >= 1 << 53 {
            mantissa = 1 << 52
            binary += 1
        }
        if binary >= 2047 { return .infinity }
        return Double(bitPattern: mantissa & ~(1 << 52) | UInt64(binary) << 52)
    }

    private static func reference(_ text: UnsafeRawBufferPointer) -> Double {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count + 1) { copy in
            for (index, byte) in text.enumerated() { copy[index] = CChar(bitPattern: byte) }
            copy[text.count] = 0
            return copy.baseAddress.map { strtod($0, nil) } ?? .nan
        }
    }

    static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]
}
