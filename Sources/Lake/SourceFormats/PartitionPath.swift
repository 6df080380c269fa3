/// The values that folders named `key=value` give to all rows of a file, as Hive and Spark lay tables out.
///
/// ```swift
/// PartitionPath.values(of: "day=2026-01-05/ward=A%2FB/part-0.csv")  // day: 2026-01-05, ward: A/B
/// PartitionPath.values(of: "day=2026-01-05/all.zip/hour=7/a.csv")  // day: 2026-01-05, hour: 7
/// ```
package enum PartitionPath {
    /// The text that Hive writes for a missing value.
    package static let missing = "__HIVE_DEFAULT_PARTITION__"

    /// Whether a folder's name is one of a partition. An archive, by whose name its files are told, is none.
    package static func isPartition(_ folder: String) -> Bool {
        folder.firstIndex(of: "=").map { $0 != folder.startIndex } ?? false && !folder.lowercased().hasSuffix(".zip")
    }

    /// The partitions that a path ends in before its file name, the outermost first: "day=1/part.csv" of
    /// "/data/visits/day=1/part.csv".
    package static func name(of path: String) -> String {
        let parts = path.split(separator: "/")
        let folders = parts.dropLast().reversed().prefix { isPartition(String($0)) }.reversed()
        return (folders + parts.suffix(1)).joined(separator: "/")
    }

    /// Names and values of all partitions in a file's name, percent signs decoded; `nil` for a missing value. Of two
    /// folders with one key the inner one counts.
    package static func values(of name: String) -> [(name: String, value: String?)] {
        var values: [(name: String, value: String?)] = []
        for folder in name.split(separator: "/").dropLast() where isPartition(String(folder)) {
            guard let sign = folder.firstIndex(of: "=") else { continue }
            let key = decoded(folder[..<sign])
            let value = decoded(folder[folder.index(after: sign)...])
            values.removeAll { $0.name == key }
            values.append((key, value == missing || value.isEmpty ? nil : value))
        }
        return values
    }

    private static func decoded(_ text: Substring) -> String {
        guard text.contains("%") else { return String(text) }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[(at + 1)...(at + 2)], as: UTF8.self), radix: 16)
            {
                result.append(byte)
                at += 3
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
