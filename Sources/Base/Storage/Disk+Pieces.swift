internal import CLibrary
internal import Core

extension Disk {
    /// Writes a new file piece by piece, atomically and durably; unfinished content has a temporary name.
    ///
    /// Returns `false`, and changes nothing, when the name is taken.
    package static func createDurably(
        _ path: String, writing body: (_ write: ([UInt8]) throws -> Void) throws -> Void
    ) throws -> Bool {
        let unfinished = "\(parent(of: path))/.\(name(of: path)).\(getpid()).part"
        remove(unfinished)
        defer { remove(unfinished) }
        try append(unfinished, [])
        try body { try append(unfinished, $0) }
        return try publish(unfinished, as: path)
    }
}
