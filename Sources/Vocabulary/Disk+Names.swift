#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension Disk {
    /// Names in a directory that are no UTF-8 text, with the bytes that are none as `\xNN`. ``list(_:)`` gives them
    /// mended, under which nobody finds them.
    package static func unreadableNames(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let bytes = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: UInt8.self, capacity: 256) { pointer in
                    Array(UnsafeBufferPointer(start: pointer, count: strnlen(UnsafeRawPointer(pointer), 256)))
                }
            }
            guard String(validating: bytes, as: UTF8.self) == nil else { continue }
            names.append(
                bytes.map { (32..<127).contains($0) ? String(UnicodeScalar($0)) : "\\x" + hex($0) }.joined())
        }
        return names.sorted()
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.utf8.count == 1 ? "0" + digits : digits
    }

    private static func strnlen(_ pointer: UnsafeRawPointer, _ limit: Int) -> Int {
        (0..<limit).first { pointer.load(fromByteOffset: $0, as: UInt8.self) == 0 } ?? limit
    }
}
