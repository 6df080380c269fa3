import Core
import Testing

struct SeededGeneratorTests {
    /// The first outputs for seed 0, from an independent implementation of both algorithms.
    @Test func `is xoshiro256 star star seeded by SplitMix64`() {
        var random = SeededGenerator(seed: 0)
        let outputs = (0..<4).map { _ in random.next() }
        let expected: [UInt64] = [
            0x99EC_5F36_CB75_F2B4, 0xBF6E_1F78_4956_452A,
            0x1A5F_849D_4933_E6E0, 0x6AA5_94F1_262D_2D2C,
        ]
        #expect(outputs == expected)
    }

    @Test func `uniform numbers lie in 0 to 1 with their mean and variance`() {
        var random = SeededGenerator(seed: 1)
        let values = (0..<100_000).map { _ in random.uniform() }
        #expect(values.allSatisfy { 0 <= $0 && $0 < 1 })
        let mean = values.reduce(0, +) / 100_000
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 100_000
        #expect(abs(mean - 0.5) < 0.005)
        #expect(abs(variance - 1.0 / 12) < 0.002)
    }

    @Test func `normal numbers have mean 0 and variance 1`() {
        var random = SeededGenerator(seed: 2)
        let values = (0..<100_000).map { _ in random.normal() }
        let mean = values.reduce(0, +) / 100_000
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 100_000
        #expect(abs(mean) < 0.015)
        #expect(abs(variance - 1) < 0.025)
    }

    @Test(arguments: [1, 2, 3, 7, 1_000])
    func `whole numbers below a bound reach all of it evenly`(bound: Int) {
        var random = SeededGenerator(seed: 3)
        var counts = [Int](repeating: 0, count: bound)
        for _ in 0..<(bound * 1_000) { counts[random.int(below: bound)] += 1 }
        #expect(counts.allSatisfy { (850...1_150).contains($0) })
    }

    @Test(arguments: [0, -5])
    func `a bound without room gives 0`(bound: Int) {
        var random = SeededGenerator(seed: 4)
        #expect(random.int(below: bound) == 0)
    }
}
