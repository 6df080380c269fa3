/// A generated file, read back the plain way: no field of it is quoted.
struct Table {
    let header: [String]
    let rows: [[String]]

    init(_ bytes: [UInt8]) {
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map { line in
            line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
        }
        header = lines.first ?? []
        rows = Array(lines.dropFirst())
    }

    subscript(_ name: String) -> [String] {
        guard let column = header.firstIndex(of: name) else { return [] }
        return rows.map { $0[column] }
    }

    func numbers(_ name: String) -> [Double] { self[name].compactMap { Double($0) } }

    /// The share of rows with the value.
    func share(of value: String, in name: String) -> Double {
        let column = self[name]
        return Double(column.count { $0 == value }) / Double(max(1, column.count))
    }

    func mean(_ name: String) -> Double {
        let values = numbers(name)
        return values.reduce(0, +) / Double(max(1, values.count))
    }
}
