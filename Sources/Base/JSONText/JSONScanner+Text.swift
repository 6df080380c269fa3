extension JSONScanner {
    /// The bytes of a string as they stand in the body; only for one without escapes what it says.
    @inlinable
    @inline(__always)
    package func raw(_ text: Text) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[text.start..<(text.start &+ text.count)])
    }

    /// Whether a string says this.
    @inlinable
    @inline(__always)
    package func equals(_ text: Text, _ other: StaticString) -> Bool {
        if text.hasEscapes { return string(text) == other.description }
        guard text.count == other.utf8CodeUnitCount else { return false }
        for index in 0..<text.count where bytes[text.start &+ index] != other.utf8Start[index] { return false }
        return true
    }

    /// Goes through the members of the object that comes next, each with its name, escapes resolved.
    /// - Parameters:
    ///   - depth: how many objects and lists stand around this one; 64 are too many.
    ///   - body: takes the value, before which the scanner stands.
    package mutating func forEachMember(
        depth: Int, _ body: (inout JSONScanner, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard depth < 64 else { throw fault(.deep) }
        try expect(UInt8(ascii: "{"), "an object")
        if take(UInt8(ascii: "}")) { return }
        repeat {
            let key = try key()
            if key.hasEscapes {
                let name = Array(string(key).utf8)
                try name.withUnsafeBytes { try body(&self, $0) }
            } else {
                try body(&self, raw(key))
            }
        } while try more(UInt8(ascii: "}"))
    }

    /// Whether a string with escapes has half of a surrogate pair, which is no character.
    package func hasLoneSurrogate(_ text: Text) -> Bool {
        var at = text.start
        let end = text.start + text.count
        func unit(_ at: Int) -> UInt32? {
            guard at + 6 <= end, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") else { return nil }
            return (2..<6).reduce(UInt32(0)) { $0 << 4 | (Self.hexDigit(bytes[at + $1]) ?? 0) }
        }
        while at < end {
            guard bytes[at] == UInt8(ascii: "\\") else {
                at += 1
                continue
            }
            switch unit(at) {
            case let high? where (0xD800..<0xDC00).contains(high):
                guard let low = unit(at + 6), (0xDC00..<0xE000).contains(low) else { return true }
                at += 12
            case let low? where (0xDC00..<0xE000).contains(low): return true
            case .some: at += 6
            case nil: at += 2
            }
        }
        return false
    }

    /// What a string says, escapes resolved. A surrogate without its other half becomes U+FFFD.
    package func string(_ text: Text) -> String {
        guard text.hasEscapes else { return String(decoding: raw(text), as: UTF8.self) }
        var units: [UInt8] = []
        var at = text.start
        let end = text.start + text.count
        func hex(_ at: Int) -> UInt32 {
            (0..<4).reduce(UInt32(0)) { $0 << 4 | (Self.hexDigit(bytes[at + $1]) ?? 0) }
        }
        func append(_ code: UInt32) {
            units.append(contentsOf: String(Unicode.Scalar(code).map(Character.init) ?? "\u{FFFD}").utf8)
        }
        while at < end {
            guard bytes[at] == UInt8(ascii: "\\") else {
                units.append(bytes[at])
                at += 1
                continue
            }
            switch bytes[at + 1] {
            case UInt8(ascii: "u"):
                let code = hex(at + 2)
                at += 6
                let isPair =
                    (0xD800..<0xDC00).contains(code) && at + 5 < end && bytes[at] == UInt8(ascii: "\\")
                    && bytes[at + 1] == UInt8(ascii: "u")
                if isPair, (0xDC00..<0xE000).contains(hex(at + 2)) {
                    append(0x10000 + (code - 0xD800) << 10 + (hex(at + 2) - 0xDC00))
                    at += 6
                } else {
                    append(code)
                }
                continue
            case UInt8(ascii: "b"): units.append(8)
            case UInt8(ascii: "f"): units.append(12)
            case UInt8(ascii: "n"): units.append(10)
            case UInt8(ascii: "r"): units.append(13)
            case UInt8(ascii: "t"): units.append(9)
            case let byte: units.append(byte)
            }
            at += 2
        }
        return String(decoding: units, as: UTF8.self)
    }
}

extension JSONScanner.Fault {
    /// What is wrong, for people.
    package var sentence: String {
        switch reason {
        case .ended: "The JSON ends too early, at byte \(offset)."
        case .expected(let what): "At byte \(offset) \(what) was expected."
        case .number: "At byte \(offset) is a number that JSON does not allow."
        case .tooLarge: "The number at byte \(offset) is too large."
        case .control: "At byte \(offset) is a control character, which must be escaped."
        case .escape: "At byte \(offset) is an escape that JSON does not have."
        case .utf8: "The string at byte \(offset) is not UTF-8."
        case .deep: "At byte \(offset) the nesting is too deep."
        case .after: "Something follows the JSON, at byte \(offset)."
        case .notFinite:
            "At byte \(offset) is NaN or Infinity, which JSON does not have: send null for a missing number."
        }
    }
}
