import CLibrary
import Core
import Serving
import Testing

@Suite struct `Decimal numbers` {
    private func check(_ text: String) {
        let read = Decimal.value(of: text)
        let reference = strtod(text, nil)
        // What overflows is no number that JSON could mean.
        let wanted = reference.isFinite ? reference.bitPattern : nil
        if read?.bitPattern != wanted { Issue.record("\(text) was read as \(read.map { "\($0)" } ?? "nothing")") }
    }

    @Test(arguments: [
        "0", "-0", "0.0", "1e-400", "2.2250738585072011e-308", "2.2250738585072014e-308", "4.9e-324",
        "2.4703282292062327e-324", "2.4703282292062328e-324", "9007199254740993", "9007199254740992.5",
        "1.7976931348623157e308", "123456789012345678901234567890", "0.1234567890123456789012345678901234567890",
        "0.0000000000000000000000000000000000000000000001234567890123456789123", "6.631236846766476e-316",
        "1000000000000000000000000000000000000000000", "9007199254740993.00000000000000000000000000000001", "8.5e22",
        "1e23", "0e999999999999", "1e-999999999999", "5e-324", "3e-324", "2e-324",
    ])
    func `the hard ones are what strtod makes of them`(_ text: String) { check(text) }

    @Test func `random ones are what strtod makes of them, to the bit`() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<40_000 {
            let bits = Double(bitPattern: random.next())
            if bits.isFinite { check("\(bits)") }
            check("\(random.next())e\(Int(random.next() % 640) - 340)")
            check("\(random.next() % 1000).\(random.next() % 1_000_000)")
            check("0.\(random.next())\(random.next())")
            // Half way between two doubles, and a little above.
            let odd = (random.next() >> 11 | 1 << 52) * 2 + 1
            check("\(odd)\(random.next() % 2 == 0 ? "" : ".0000000000000000000000000\(random.next() % 2)")")
        }
    }

    @Test(arguments: ["", "-", "01", "1.", ".5", "+1", "1e", "1e+", "0x10", "NaN", "Infinity", "1e400", "1 2"])
    func `what is not a JSON number is refused`(_ text: String) { #expect(Decimal.value(of: text) == nil) }
}
