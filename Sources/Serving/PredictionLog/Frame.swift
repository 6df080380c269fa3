internal import Core

/// Frame format of a segment after its header: multiples of eight bytes, little-endian.
///
/// ```
/// 0  u32  bytes of the payload
/// 4  u32  CRC-32C of the length and the payload, seeded with the segment's salt
/// 8  u8   kind of the payload, and the payload itself
/// ```
/// The salt keeps bytes that an earlier file left on the disk from being taken for frames of this one.
enum Frame {
    static let headBytes = 8
    /// Longer ones are not written, and not believed.
    static let mostBytes = 64 << 20

    enum Kind: UInt8 {
        /// A source and its number in this segment, as JSON.
        case source = 1
        /// A prediction as programs before version 2 of records wrote it.
        case predictionV1 = 2
        /// Nothing comes after it: how many predictions the segment has.
        case end = 3
        /// A prediction, version 2.
        case prediction = 4

        var isPrediction: Bool { self == .prediction || self == .predictionV1 }
    }

    static func checksum(_ frame: UnsafeRawBufferPointer, salt: UInt32) -> UInt32 {
        let length = CRC32C.of(UnsafeRawBufferPointer(rebasing: frame[0..<4]), seed: salt)
        return CRC32C.of(UnsafeRawBufferPointer(rebasing: frame[8...]), seed: length)
    }

    /// Sets the checksums of whole frames that stand one after the other.
    static func seal(_ frames: UnsafeMutableRawBufferPointer, salt: UInt32) {
        var at = 0
        while at + headBytes <= frames.count {
            let length = Int(UInt32(littleEndian: frames.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
            let frame = UnsafeRawBufferPointer(rebasing: frames[at..<(at + headBytes + length)])
            let sum = checksum(frame, salt: salt)
            frames.storeBytes(of: sum.littleEndian, toByteOffset: at + 4, as: UInt32.self)
            at += headBytes + length
        }
    }

    /// The length of the whole and unharmed frame at the beginning of `bytes`; `nil` when there is none.
    static func length(_ bytes: UnsafeRawBufferPointer, salt: UInt32) -> Int? {
        guard bytes.count >= headBytes + 8 else { return nil }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
        guard length >= 8, length % 8 == 0, length <= mostBytes, headBytes + length <= bytes.count else { return nil }
        let told = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let frame = UnsafeRawBufferPointer(rebasing: bytes[0..<(headBytes + length)])
        return checksum(frame, salt: salt) == told ? headBytes + length : nil
    }

    static func source(_ source: PredictionSource, number: UInt16) throws -> [UInt8] {
        let json = try JSON.encode(source)
        var payload: [UInt8] = [Kind.source.rawValue, 0] + bytes(number) + bytes(UInt32(json.count)) + json
        payload += [UInt8](repeating: 0, count: -payload.count & 7)
        return bytes(UInt32(payload.count)) + [0, 0, 0, 0] + payload
    }

    /// Always of ``endBytes`` bytes, so that it is found from the end of a file.
    static func end(records: Int) -> [UInt8] {
        bytes(UInt32(16)) + [0, 0, 0, 0] + [Kind.end.rawValue, 0, 0, 0, 0, 0, 0, 0] + bytes(UInt64(records))
    }

    static let endBytes = 24

    static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
