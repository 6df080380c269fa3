internal import JSONText

extension JSONScanner {
    /// A number as it is written, with where it stands.
    @inline(__always)
    mutating func decimal() throws(Fault) -> (number: DecimalText, start: Int) {
        let start = offset
        var number = DecimalText()
        var at = offset
        if at < bytes.count, bytes[at] == UInt8(ascii: "-") {
            number.isNegative = true
            at &+= 1
        }
        let first = at
        var digits: UInt64 = 0
        while at < bytes.count {
            let digit = bytes[at] &- 48
            guard digit <= 9 else { break }
            digits = digits &* 10 &+ UInt64(digit)
            at &+= 1
        }
        let whole = at &- first
        guard whole > 0, whole == 1 || bytes[first] != 48 else { throw fault(.number) }
        var significant = whole
        var exponent = 0
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at &+= 1
            let point = at
            while at < bytes.count {
                let digit = bytes[at] &- 48
                guard digit <= 9 else { break }
                digits = digits &* 10 &+ UInt64(digit)
                at &+= 1
            }
            guard at > point else { throw fault(.number) }
            exponent = point &- at
            significant &+= at &- point
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            exponent &+= try self.exponent(&at)
        }
        number.digits = digits
        number.exponent = exponent
        if significant > 19 { number.recount(bytes, from: first) }
        offset = at
        return (number, start)
    }

    private mutating func exponent(_ at: inout Int) throws(Fault) -> Int {
        var isNegative = false
        if at < bytes.count, bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+") {
            isNegative = bytes[at] == UInt8(ascii: "-")
            at += 1
        }
        let start = at
        var value = 0
        while at < bytes.count, bytes[at] &- 48 <= 9 {
            // Beyond this every number is 0 or infinite, however many digits it has in front.
            if value < 100_000_000 { value = value * 10 + Int(bytes[at] - 48) }
            at += 1
        }
        guard at > start else { throw fault(.number) }
        return isNegative ? -value : value
    }

    /// A number as the nearest double. Refuses one that is too large for any.
    @inline(__always)
    mutating func double() throws(Fault) -> Double {
        let (number, start) = try decimal()
        let value = number.value(UnsafeRawBufferPointer(rebasing: bytes[start..<offset]))
        guard value.isFinite else { throw Fault(offset: start, reason: .tooLarge) }
        return value
    }
}

extension DecimalText {
    /// Counts the digits again, leading zeros left out and those after the nineteenth not taken.
    @inline(never)
    mutating func recount(_ bytes: UnsafeRawBufferPointer, from first: Int) {
        digits = 0
        var taken = 0
        var at = first
        var pointAt: Int?
        var scale = 0
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "."), pointAt == nil {
                pointAt = at
                at += 1
                continue
            }
            let digit = byte &- 48
            guard digit <= 9 else { break }
            if taken == 0, digit == 0 {
                if pointAt != nil { scale -= 1 }
            } else if taken < 19 {
                digits = digits * 10 + UInt64(digit)
                taken += 1
                if pointAt != nil { scale -= 1 }
            } else {
                if digit != 0 { isCut = true }
                if pointAt == nil { scale += 1 }
            }
            at += 1
        }
        // `exponent` was the written one less the digits after the point.
        let fraction = pointAt.map { at - $0 - 1 } ?? 0
        exponent = exponent + fraction + scale
    }
}
