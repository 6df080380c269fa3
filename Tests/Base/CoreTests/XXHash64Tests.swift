import Core
import Testing

@Suite struct `XXH64` {
    // Computed by the Python package xxhash 3.6.0 (xxHash 0.8.2):
    // xxhash.xxh64(bytes((i * 31 + 7) & 255 for i in range(n)), seed=seed).hexdigest()
    @Test(
        arguments: [
            (0, 0, 0xef46_db37_51d8_e999), (0, 0x9e37_79b1_85eb_ca8d, 0x0b30_3d92_0ec3_49df),
            (1, 0, 0xa96c_7f0c_e858_bbb7), (3, 0x9e37_79b1, 0xd095_a923_9060_f0a3), (4, 0, 0xc60d_15b1_e3ff_8f04),
            (5, 0, 0x8088_1585_8624_dd4e), (7, 0x9e37_79b1_85eb_ca8d, 0xf1a4_6cf9_25e5_669e),
            (8, 0, 0x3da5_c7aa_2696_83e0), (12, 0x9e37_79b1, 0x026c_a952_99d9_e652), (14, 0, 0x1523_f762_201b_a56e),
            (16, 0x9e37_79b1, 0x06f2_d4c8_d982_f096), (31, 0, 0x4a74_f3a1_a39a_d4a1),
            (31, 0x9e37_79b1_85eb_ca8d, 0x99f2_22ff_5e63_79d1), (32, 0, 0x8d57_d6a4_671c_c43d),
            (32, 0x9e37_79b1_85eb_ca8d, 0xa784_ae39_e74a_5a70), (33, 0x9e37_79b1, 0x5a65_3650_552f_822c),
            (39, 0, 0x1789_5424_89e5_9cc4), (44, 0x9e37_79b1_85eb_ca8d, 0xd6fd_f58a_fb12_a20a),
            (63, 0, 0x5c32_0a0d_2707_057f), (64, 0x9e37_79b1_85eb_ca8d, 0x0961_219a_b771_dd46),
            (101, 0, 0xfbfd_f3fa_1a53_bc7f), (1000, 0x9e37_79b1_85eb_ca8d, 0x9665_7c99_7118_f796),
        ] as [(Int, UInt64, UInt64)]) func `is that of the reference implementation`(
            _ count: Int, _ seed: UInt64, _ hash: UInt64
        )
    {
        #expect(XXHash64.hash((0..<count).map { UInt8(truncatingIfNeeded: $0 * 31 + 7) }, seed: seed) == hash)
    }
}
