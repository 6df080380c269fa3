internal import Core
internal import Storage

/// Reads the memory use of a process.
enum ProcessMemory {
    /// Bytes of a process that the system cannot drop: anonymous, shared and swapped pages, without those of files.
    /// `nil` where it is unknown, as on macOS.
    static func used(by id: Int32) -> Int64? {
        #if os(Linux)
            guard let bytes = try? Disk.read("/proc/\(id)/status") else { return nil }
            let wanted = ["RssAnon:", "RssShmem:", "VmSwap:"].map { Array($0.utf8) }
            var sum: Int64?
            for line in bytes.split(separator: 10) where wanted.contains(where: { line.starts(with: $0) }) {
                let digits = line.filter { (48...57).contains($0) }
                sum = (sum ?? 0) + digits.reduce(0) { $0 * 10 + Int64($1 - 48) } * 1024
            }
            return sum
        #else
            return nil
        #endif
    }
}
