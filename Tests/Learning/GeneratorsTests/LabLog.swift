import Generators

/// The generator's files, kept in memory.
struct LabFiles {
    /// In the order of writing.
    private(set) var paths: [String] = []
    private(set) var bytes: [String: [UInt8]] = [:]

    init(experiments: Int, seed: UInt64, drift: LabDrift? = nil) throws {
        try LabGenerator(experiments: experiments, seed: seed, drift: drift).write { path, bytes in
            paths.append(path)
            self.bytes[path] = bytes
        }
    }

    /// The paths of one log, by day.
    func days(of source: String) -> [String] { paths.filter { $0.hasPrefix("\(source)/") } }

    /// All days of one log.
    func log(_ source: String) -> LabLog { LabLog(days(of: source).compactMap { bytes[$0] }) }

    var truth: LabLog { LabLog([bytes[LabGenerator.truthFile] ?? []]) }
}

/// Laboratories that several tests look at, made up once.
enum LabSamples {
    static let small = Result { try LabFiles(experiments: 3_000, seed: 5) }
    static let plain = Result { try LabFiles(experiments: 20_000, seed: 7) }
    private static let covariate = Result { try LabFiles(experiments: 20_000, seed: 7, drift: .covariate) }
    private static let concept = Result { try LabFiles(experiments: 20_000, seed: 7, drift: .concept) }
    private static let quality = Result { try LabFiles(experiments: 20_000, seed: 7, drift: .quality) }
    private static let label = Result { try LabFiles(experiments: 20_000, seed: 7, drift: .label) }

    /// The plain sample with a drift.
    static func drifted(_ drift: LabDrift) throws -> LabFiles {
        switch drift {
        case .covariate: try covariate.get()
        case .concept: try concept.get()
        case .quality: try quality.get()
        case .label: try label.get()
        }
    }
}

/// The rows of one log: where each field lies in the bytes. No field is quoted.
struct LabLog {
    let header: [String]
    let count: Int
    private let bytes: [UInt8]
    private let fields: [Range<Int>]
    /// Whether every file has the same header and every row its count of fields.
    let isRegular: Bool

    init(_ files: [[UInt8]]) {
        var header: [String] = []
        var bytes: [UInt8] = []
        var fields: [Range<Int>] = []
        var rows = 0
        var isRegular = true
        for file in files {
            let end = file.firstIndex(of: UInt8(ascii: "\n")) ?? file.count
            let names = String(decoding: file[..<end], as: UTF8.self).split(separator: ",").map(String.init)
            isRegular = isRegular && (header.isEmpty || header == names)
            header = names
            var start = bytes.count
            bytes += file[min(end + 1, file.count)...]
            for position in start..<bytes.count {
                let byte = bytes[position]
                guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") else { continue }
                fields.append(start..<position)
                start = position + 1
                guard byte == UInt8(ascii: "\n") else { continue }
                rows += 1
                isRegular = isRegular && fields.count == rows * names.count
            }
        }
        self.header = header
        self.bytes = bytes
        self.fields = fields
        self.isRegular = isRegular
        count = rows
    }

    func texts(_ name: String) -> [String] { column(name) { String(decoding: $0, as: UTF8.self) } }

    /// Numbers of one column; an empty field is nil.
    func optionals(_ name: String) -> [Double?] { column(name) { $0.isEmpty ? nil : Self.number($0) } }

    func numbers(_ name: String) -> [Double] { column(name, Self.number) }

    /// The number at the end of a name, as 7 in PCR-07.
    func suffixes(_ name: String) -> [Int] {
        column(name) { field in
            let digits = field.reversed().prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            return digits.reversed().reduce(0) { $0 * 10 + Int($1) - 48 }
        }
    }

    /// Seconds since 2024-07-01 00:00; nil where the field is empty.
    func seconds(_ name: String) -> [Int?] {
        column(name) { field in
            guard field.count == 19 else { return nil }
            func part(_ offset: Int, _ count: Int) -> Int {
                field.dropFirst(offset).prefix(count).reduce(0) { $0 * 10 + Int($1) - 48 }
            }
            let day = Self.day(part(0, 4), part(5, 2), part(8, 2))
            return day * 86_400 + part(11, 2) * 3_600 + part(14, 2) * 60 + part(17, 2)
        }
    }

    /// Days since 2024-07-01, counted month by month.
    private static func day(_ year: Int, _ month: Int, _ day: Int) -> Int {
        var days = day - 1
        var months = (year - 2024) * 12 + month - 1
        while months > 6 {
            months -= 1
            let of = 2024 + months / 12
            let lengths = [31, of % 4 == 0 ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            days += lengths[months % 12]
        }
        return days
    }

    private static func number(_ field: ArraySlice<UInt8>) -> Double {
        var value = 0
        var scale = 1
        var isFraction = false
        for byte in field {
            if byte == UInt8(ascii: ".") { isFraction = true }
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { continue }
            value = value * 10 + Int(byte) - 48
            if isFraction { scale *= 10 }
        }
        return (field.first == UInt8(ascii: "-") ? -1 : 1) * Double(value) / Double(scale)
    }

    private func column<Value>(_ name: String, _ read: (ArraySlice<UInt8>) -> Value) -> [Value] {
        guard let column = header.firstIndex(of: name) else { return [] }
        return (0..<count).map { read(bytes[fields[$0 * header.count + column]]) }
    }
}
