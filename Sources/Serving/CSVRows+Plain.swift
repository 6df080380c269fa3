#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension CSVRows {
    /// Whether there is no quote in the bytes, so that every newline ends a line and every comma a cell.
    static func hasNoQuotes(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        return memchr(base, Int32(UInt8(ascii: "\"")), bytes.count) == nil
    }

    /// Reads lines without quotes: the same as the general way, with one look at each byte.
    mutating func readPlain(
        _ bytes: UnsafeRawBufferPointer, from first: Int, into batch: RowBatch, upTo rows: Int, _ isLast: Bool,
        _ kept: KeptCells?, _ onRow: (Range<Int>) -> Void
    ) -> Int {
        guard let base = bytes.baseAddress else { return first }
        var used = first
        let targets = targets
        targets.withUnsafeBufferPointer { targets in
            DecimalText.powersOfTen.withUnsafeBufferPointer { powers in
                while used < bytes.count, batch.count < rows {
                    var content = bytes.count
                    var next = content
                    if let newline = memchr(base + used, 10, bytes.count - used) {
                        content = UnsafeRawPointer(newline) - base
                        next = content + 1
                    } else if !isLast {
                        return
                    }
                    if content > used, bytes[content - 1] == 13 { content -= 1 }
                    lines += 1
                    if content > used || schema.width == 1 {
                        plainRow(bytes, used..<content, batch, targets, powers, kept)
                        onRow(used..<content)
                    }
                    used = next
                }
            }
        }
        return used
    }

    @inline(__always)
    private func plainRow(
        _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ batch: RowBatch,
        _ targets: UnsafeBufferPointer<Target>, _ powers: UnsafeBufferPointer<Double>, _ kept: KeptCells?
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
                        cell(field, false, target.column, start &+ target.column, batch)
                        seen &+= 1
                    } else if target.column == -2 {
                        batch.note(entity: String(decoding: field, as: UTF8.self), row: batch.count - 1)
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
        if place != targets.count { failWidth(place, batch) }
        batch.end(start, seen: seen)
    }

    /// A number of few digits without an exponent, up to the comma or the line's end; `nil` for any other cell, which
    /// goes the general way. Exact as `DecimalText` has it: both numbers are whole and below 2^53 or a power of ten that
    /// a double has.
    @inline(__always)
    private static func number(
        _ bytes: UnsafeRawBufferPointer, _ at: inout Int, _ end: Int, _ powers: UnsafeBufferPointer<Double>
    ) -> Double? {
        var isNegative = false
        if at < end, bytes[at] == UInt8(ascii: "-") {
            isNegative = true
            at &+= 1
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
}
