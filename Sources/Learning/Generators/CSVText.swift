/// Writer of CSV rows without quoting, for generated fields that need none.
struct CSVText {
    private var bytes: [UInt8] = []
    private var atRowStart = true

    init(header: [String]) {
        bytes.reserveCapacity(80_000)
        for name in header { field(name) }
        endRow()
    }

    mutating func field(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    mutating func field(_ number: Int) {
        separate()
        append(number)
    }

    /// A number with a fixed count of decimals (at most 9), rounded half up; an empty field if `nil`.
    mutating func field(_ number: Double?, decimals: Int) {
        separate()
        guard let number else { return }
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int((number * Double(scale)).rounded(.toNearestOrAwayFromZero))
        if scaled < 0 { bytes.append(UInt8(ascii: "-")) }
        let magnitude = abs(scaled)
        append(magnitude / scale)
        guard decimals > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        var rest = magnitude % scale
        while scale > 1 {
            scale /= 10
            bytes.append(UInt8(ascii: "0") + UInt8(rest / scale))
            rest %= scale
        }
    }

    mutating func endRow() {
        bytes.append(UInt8(ascii: "\n"))
        atRowStart = true
    }

    /// Hands over what is written once it is longer than `limit` bytes.
    mutating func flush(to sink: ([UInt8]) throws -> Void, above limit: Int) throws {
        guard bytes.count > limit else { return }
        try sink(bytes)
        bytes.removeAll(keepingCapacity: true)
    }

    private mutating func separate() {
        if !atRowStart { bytes.append(UInt8(ascii: ",")) }
        atRowStart = false
    }

    private mutating func append(_ number: Int) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        var divisor: UInt = 1
        while rest / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }
}
