import Core

/// SELECTs of made-up rows with columns of every type that a table can hold: extremes, nulls, NaN, zeros, empty and long
/// texts. The same seed gives the same rows.
struct RandomTable {
    private var random: SeededGenerator

    init(seed: Int) { random = SeededGenerator(seed: UInt64(seed)) }

    private static let types = [
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN", "VARCHAR", "BLOB", "DATE",
        "TIMESTAMP", "TIMESTAMPTZ",
    ]

    mutating func select() -> String {
        let count = [0, 1, 2, 17, 60, 200][below(6)]
        let start = below(Self.types.count)
        let columns = (0...below(Self.types.count + 3)).map { index -> (name: String, type: String, scale: Int) in
            let type = Self.types[(start + index * 5) % Self.types.count]
            let precision = 1 + below(38)
            let name = ["c", "Größe ", "a \"b\", ", "x.y:"][below(4)] + "\(index)"
            guard type == "DECIMAL" else { return (name, type, 0) }
            let scale = below(precision + 1)
            return (name, "DECIMAL(\(precision),\(scale))", scale)
        }
        let names = columns.map { "\"" + $0.name.replacing("\"", with: "\"\"") + "\"" }
        let empty = zip(columns, names).map { "NULL::\($0.type) AS \($1)" }.joined(separator: ", ")
        let rows = (0..<count).map { _ in
            let cells = columns.map { below(5) == 0 ? "NULL" : cell($0.type, $0.scale) }
            return "SELECT " + cells.joined(separator: ", ")
        }
        return (["SELECT \(empty) WHERE false"] + rows).joined(separator: "\nUNION ALL ")
    }

    private mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

    private mutating func cell(_ type: String, _ scale: Int) -> String {
        switch type {
        case "TINYINT": "\(whole(Int8.self))::\(type)"
        case "SMALLINT": "\(whole(Int16.self))::\(type)"
        case "INTEGER": "\(whole(Int32.self))::\(type)"
        case "BIGINT": "\(whole(Int64.self))::\(type)"
        case "FLOAT": "'\(number { "\(Float(bitPattern: UInt32(truncatingIfNeeded: $0)))" })'::FLOAT"
        case "DOUBLE": "'\(number { "\(Double(bitPattern: $0))" })'::DOUBLE"
        case "BOOLEAN": below(2) == 0 ? "true" : "false"
        case "VARCHAR": text()
        case "BLOB": bytes()
        case "DATE": "DATE '1970-01-01' + \([0, -1, 1, below(40_000), 2_900_000, -below(2_000_000_000)][below(6)])"
        case "TIMESTAMP": "make_timestamp(\(moment()))"
        case "TIMESTAMPTZ": "make_timestamptz(\(moment()))"
        default: decimal(type, scale)
        }
    }

    /// In quotes, since the smallest number has no literal.
    private mutating func whole<Number: FixedWidthInteger>(_: Number.Type) -> String {
        let extremes: [Number] = [.min, .max, 0, 1]
        return "'\(below(2) == 0 ? extremes[below(4)] : Number(truncatingIfNeeded: random.next()))'"
    }

    private mutating func number(_ made: (UInt64) -> String) -> String {
        let given = [
            "nan", "inf", "-inf", "0.0", "-0.0", "1e-45", "-5e-324", "0.1", "3.4028234663852886e38", "-1.5", "16777217",
        ]
        guard below(2) == 0 else { return given[below(given.count)] }
        return made(random.next()).replacing("snan", with: "nan").replacing(/nan\(.*\)/, with: "nan")
    }

    private mutating func moment() -> Int64 {
        let extremes: [Int64] = [0, -1, 1, 9_223_372_036_854_775_806, -9_223_372_022_400_000_000]
        return below(3) == 0
            ? extremes[below(5)] : Int64(bitPattern: random.next()) % (below(2) == 0 ? 2_000_000_000_000_000 : 1 << 62)
    }

    private mutating func text() -> String {
        let given = [
            "''", "' '", "'a'", "'twelve bytes'", "'thirteen byte'", "'Größe'", "'e' || chr(769)",
            "'a' || chr(0) || 'b'",
            "'🜁 ' || chr(65533)", "repeat('long ', 5000)", "'it''s'",
        ]
        return below(2) == 0 ? given[below(given.count)] : "repeat('x', \(below(70))) || '\(below(1000))'"
    }

    private mutating func bytes() -> String {
        let escaped = (0..<below(40)).map { _ in
            let digits = String(UInt8(truncatingIfNeeded: random.next()), radix: 16, uppercase: true)
            return "\\x" + (digits.count == 1 ? "0" : "") + digits
        }
        return "'\(escaped.joined())'::BLOB"
    }

    /// All digits are nines, or few of them are there at all.
    private mutating func decimal(_ type: String, _ scale: Int) -> String {
        let precision = Int(type.dropFirst(8).prefix { $0 != "," }) ?? 1
        let isLarge = below(3) == 0
        let digits = (0..<(isLarge ? precision : below(precision + 1))).map { _ in isLarge ? "9" : "\(below(10))" }
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits.joined()
        let point = padded.index(padded.endIndex, offsetBy: -scale)
        return "'\(below(2) == 0 ? "-" : "")\(padded[..<point]).\(padded[point...])'::\(type)"
    }
}
