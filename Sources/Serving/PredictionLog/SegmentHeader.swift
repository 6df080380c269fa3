package import Core

/// The header of a segment file, its first 64 bytes.
///
/// ```
///  0  8 bytes  "MTLPRED1"
///  8  16       the log's id: another one each time that a log is opened
/// 24  u64      the segment's number in that log, from 1
/// 32  i64      when it was begun, microseconds since 1970
/// 40  20       zero
/// 60  u32      CRC-32C of the 60 bytes before
/// ```
package struct SegmentHeader: Sendable, Equatable {
    /// Size of the header in bytes.
    package static let bytes = 64
    private static let magic = Array("MTLPRED1".utf8)

    /// Id of the log's opening, 32 hexadecimal digits.
    package let log: String
    /// Number of the segment in that log, from 1.
    package let number: Int
    /// When the segment was started.
    package let begun: Timestamp

    init(log: String, number: Int, begun: Timestamp) {
        self.log = log
        self.number = number
        self.begun = begun
    }

    /// What the checksums of this segment's frames begin with.
    var salt: UInt32 { encoded.withUnsafeBytes { CRC32C.of(UnsafeRawBufferPointer(rebasing: $0[8..<32])) } }

    var encoded: [UInt8] {
        var out = Self.magic
        var digits = Array(log.utf8)[...]
        while let high = digits.popFirst(), let low = digits.popFirst() {
            out.append(Self.value(of: high) << 4 | Self.value(of: low))
        }
        out += Frame.bytes(UInt64(number)) + Frame.bytes(begun.microseconds) + [UInt8](repeating: 0, count: 20)
        return out + Frame.bytes(out.withUnsafeBytes { CRC32C.of($0) })
    }

    /// `nil` unless the bytes begin with an unharmed header.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.bytes, bytes[0..<8].elementsEqual(Self.magic) else { return nil }
        let sum = CRC32C.of(UnsafeRawBufferPointer(rebasing: bytes[0..<60]))
        guard UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 60, as: UInt32.self)) == sum else { return nil }
        let number = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
        guard let number = Int(exactly: number) else { return nil }
        let digits = Array("0123456789abcdef".utf8)
        log = String(
            decoding: bytes[8..<24].flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
        self.number = number
        begun = Timestamp(
            microseconds: Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 32, as: Int64.self)))
    }

    private static func value(of digit: UInt8) -> UInt8 { digit >= 97 ? digit - 87 : digit - 48 }
}
