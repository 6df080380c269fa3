internal import Core
internal import Storage

/// Reads the new bytes of a growing log file.
struct LogTail {
    let path: String
    private var offset: Int64 = 0
    /// The beginning of a character whose end is not written yet.
    private var held: [UInt8] = []

    init(_ path: String) { self.path = path }

    /// What was written since the last look, whole characters only.
    mutating func more() throws -> String {
        var bytes = held
        held = []
        guard Disk.exists(path) else { return "" }
        try Disk.scan(path, from: offset) { piece in
            offset += Int64(piece.count)
            bytes += piece
            return true
        }
        // A character has at most four bytes: the last three may begin one that is not whole.
        for count in 1...3 where bytes.count >= count {
            let byte = bytes[bytes.count - count]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            if length > count {
                held = Array(bytes.suffix(count))
                bytes.removeLast(count)
            }
            break
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What was written since the last look, to the end of the file as it is.
    mutating func rest() throws -> String {
        let text = try more()
        defer { held = [] }
        return text + String(decoding: held, as: UTF8.self)
    }
}
