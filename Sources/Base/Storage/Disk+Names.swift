internal import CLibrary
internal import Core

extension Disk {
    /// Returns the entry names of a directory, sorted; empty when it does not exist.
    /// - Throws: `disk.…` when there is one that cannot be read, or only in part: nobody may take what is there for
    ///   what is not.
    package static func list(_ path: String) throws -> [String] {
        guard let directory = opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw failure("read the folder", path)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                guard errno == 0 else { throw failure("read the folder", path) }
                return names.sorted()
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// Returns the entry names of a directory that are not valid UTF-8, their invalid bytes written as `\xNN`.
    ///
    /// ``list(_:)`` gives them repaired, under which no file can be opened.
    package static func unreadableNames(_ path: String) throws -> [String] {
        guard let directory = opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw failure("read the folder", path)
        }
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
