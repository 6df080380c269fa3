/// CRC-32C (Castagnoli), reflected, as in iSCSI (RFC 3720, B.4) and ext4: eight bytes at a time by eight tables
/// (Kounavis and Berry, "A Systematic Approach to Building High Performance Software-Based CRC Generators", 2005).
enum CRC32C {
    /// The checksum of `bytes`, going on from `seed`, the checksum of what came before.
    static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        tables.withUnsafeBufferPointer { tables in
            guard let table = tables.baseAddress, let base = bytes.baseAddress else { return seed }
            var crc = UInt64(~seed)
            var at = 0
            while at + 8 <= bytes.count {
                let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt64.self)) ^ crc
                let low = table[0x700 | Int(word & 0xFF)] ^ table[0x600 | Int(word >> 8 & 0xFF)]
                let next = table[0x500 | Int(word >> 16 & 0xFF)] ^ table[0x400 | Int(word >> 24 & 0xFF)]
                let third = table[0x300 | Int(word >> 32 & 0xFF)] ^ table[0x200 | Int(word >> 40 & 0xFF)]
                let high = table[0x100 | Int(word >> 48 & 0xFF)] ^ table[Int(word >> 56)]
                crc = UInt64(low ^ next ^ third ^ high)
                at += 8
            }
            var rest = UInt32(truncatingIfNeeded: crc)
            while at < bytes.count {
                rest = table[Int((rest ^ UInt32(bytes[at])) & 0xFF)] ^ (rest >> 8)
                at += 1
            }
            return ~rest
        }
    }

    /// Table k gives the checksum of a byte with k zero bytes behind it.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? 0x82F6_3B78 ^ (crc >> 1) : crc >> 1 }
            tables[byte] = crc
        }
        for table in 1..<8 {
            for byte in 0..<256 {
                let before = tables[(table - 1) * 256 + byte]
                tables[table * 256 + byte] = tables[Int(before & 0xFF)] ^ (before >> 8)
            }
        }
        return tables
    }()
}
