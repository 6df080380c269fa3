internal import CLibrary

extension CSVRows {
    /// Reads lines of text without quotes and without lone CRs that end lines: the same as the general way, with one look
    /// at each byte.
    mutating func readPlain(
        _ bytes: UnsafeRawBufferPointer, from first: Int, into batch: RowBatch, upTo rows: Int, _ isLast: Bool,
        _ kept: PassthroughCells?, _ onRow: (Range<Int>) -> Void
    ) -> Int {
        guard let base = bytes.baseAddress else { return first }
        var used = first
        let targets = targets
        targets.withUnsafeBufferPointer { targets in
            DecimalText.powersOfTen.withUnsafeBufferPointer { powers in
                while used < bytes.count {
                    var content = bytes.count
                    var next = content
                    if let newline = memchr(base + used, 10, bytes.count - used) {
                        content = UnsafeRawPointer(newline) - base
                        next = content + 1
                    } else if !isLast {
                        return
                    }
                    if content > used, bytes[content - 1] == 13 { content -= 1 }
                    if content > used {
                        if batch.count == rows { return }
                        batch.line = lines + 1
                        plainRow(bytes, used..<content, batch, targets, powers, kept)
                        onRow(used..<content)
                    }
                    lines += 1
                    used = next
                }
            }
        }
        return used
    }

    @inline(__always)
    private func plainRow(
        _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ batch: RowBatch,
        _ targets: UnsafeBufferPointer<Target>, _ powers: UnsafeBufferPointer<Double>, _ kept: PassthroughCells?
    ) {
        let start = batch.begin()
        kept?.beginRow()
        let values = batch.values
        let end = line.upperBound
        var at = line.lowerBound
        var place = 0
        var seen = 0
        while true {
            let from = at
            if place < targets.count {
                let target = targets[place]
                if target.isNumber, let value = Self.number(bytes, &at, end, powers), value >= target.minimum,
                    value <= target.maximum
                {
                    values[start &+ target.column] = value
                    seen &+= 1
                } else {
                    at = from
                    while at < end, bytes[at] != UInt8(ascii: ",") { at &+= 1 }
                    let field = UnsafeRawBufferPointer(rebasing: bytes[from..<at])
                    if target.column >= 0 {
                        cell(field, target.column, start &+ target.column, batch)
                        seen &+= 1
                    } else if target.column == -2 {
                        note(field, batch)
                    }
                }
                if target.keep >= 0 {
                    kept?.put(text: UnsafeRawBufferPointer(rebasing: bytes[from..<at]), at: target.keep)
                }
            } else {
                while at < end, bytes[at] != UInt8(ascii: ",") { at &+= 1 }
            }
            place &+= 1
            if at >= end { break }
            at &+= 1
        }
        self.end(start, seen: seen, of: place, batch)
    }

    /// A number of few digits without an exponent, up to the comma or the line's end; `nil` for any other cell, which
    /// goes the general way. Exact as `DecimalText` has it: both numbers are whole and below 2^53 or a power of ten that
    /// a double has.
    @inline(__always)
    private static func number(
        _ bytes: UnsafeRawBufferPointer, _ at: inout Int, _ end: Int, _ powers: UnsafeBufferPointer<Double>
    ) -> Double? {
        let isNegative = at < end && bytes[at] == UInt8(ascii: "-")
        at &+= isNegative ? 1 : 0
        if at &+ 8 <= bytes.count, let base = bytes.baseAddress {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            if let (value, length) = short(word, powers) {
                at &+= length
                return isNegative ? -value : value
            }
        }
        var digits: UInt64 = 0
        let first = at
        while at < end {
            let digit = bytes[at] &- 48
            guard digit <= 9 else { break }
            digits = digits &* 10 &+ UInt64(digit)
            at &+= 1
        }
        var count = at &- first
        guard count > 0 else { return nil }
        var fraction = 0
        if at < end, bytes[at] == UInt8(ascii: ".") {
            at &+= 1
            let point = at
            while at < end {
                let digit = bytes[at] &- 48
                guard digit <= 9 else { break }
                digits = digits &* 10 &+ UInt64(digit)
                at &+= 1
            }
            fraction = at &- point
            guard fraction > 0 else { return nil }
            count &+= fraction
        }
        guard count <= 19, digits <= 1 << 53, at == end || bytes[at] == UInt8(ascii: ",") else { return nil }
        let value = Double(digits) / powers[fraction]
        return isNegative ? -value : value
    }

    /// A number of at most seven bytes before a comma, all of which are in a word, the first in its lowest byte: digits,
    /// or digits, a point and digits. Without a loop or a branch that depends on how many there are, since those of
    /// measured numbers cannot be foreseen. `nil` for whatever else.
    @inline(__always)
    private static func short(_ word: UInt64, _ powers: UnsafeBufferPointer<Double>) -> (Double, Int)? {
        // The place of the first comma: the lowest byte that is zero when commas are (Warren, Hacker's Delight, 6-1).
        let commas = zeros(word ^ 0x2C2C_2C2C_2C2C_2C2C)
        guard commas & 0x80 == 0, commas != 0 else { return nil }
        let length = commas.trailingZeroBitCount &>> 3
        // Its bytes alone, then the first point among them.
        let text = word & ((1 as UInt64) &<< (UInt64(length) &* 8) &- 1)
        let points = zeros(text ^ 0x2E2E_2E2E_2E2E_2E2E)
        let place = points == 0 ? length : points.trailingZeroBitCount &>> 3
        let fraction = points == 0 ? 0 : length &- place &- 1
        guard place > 0, points == 0 || fraction > 0 else { return nil }
        // The bytes after the point move over it.
        let before = text & ((1 as UInt64) &<< (UInt64(place) &* 8) &- 1)
        let after = points == 0 ? 0 : (text &>> (UInt64(place &+ 1) &* 8)) &<< (UInt64(place) &* 8)
        let count = points == 0 ? length : length &- 1
        // The last digit moves to the highest byte, zeros before the first.
        let missing = UInt64(8 &- count) &* 8
        let digits = (before | after) &<< missing | (0x3030_3030_3030_3030 &>> (64 &- missing))
        // Each byte from 0x30 to 0x39.
        let high = digits & 0xF0F0_F0F0_F0F0_F0F0
        let carry = (digits &+ 0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0
        guard high == 0x3030_3030_3030_3030, carry == high else { return nil }
        // Pairs, fours, and all eight (Lemire, "Quickly parsing eight digits", 2018).
        let pairs = ((digits & 0x0F0F_0F0F_0F0F_0F0F) &* 2561) &>> 8
        let fours = ((pairs & 0x00FF_00FF_00FF_00FF) &* 6_553_601) &>> 16
        let whole = ((fours & 0x0000_FFFF_0000_FFFF) &* 42_949_672_960_001) &>> 32
        return (Double(whole) / powers[fraction], length)
    }

    /// The highest bit of each byte that is zero, exact up to the first such byte.
    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    }
}
