internal import CLibrary
package import Core

extension Disk {
    /// Copies a file atomically and durably if its SHA-256 is the expected one.
    ///
    /// The copy takes its name only when its digest matches: a file that is still being written has another. Nothing is
    /// copied when the target exists.
    ///
    /// - Returns: `false` when the bytes are not the expected ones.
    package static func copyDurably(_ path: String, to target: String, expecting digest: Digest) throws -> Bool {
        if exists(target) { return true }
        let temporary = "\(parent(of: target))/.\(name(of: target)).\(processID).tmp"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure("write", temporary) }
        var isOpen = true
        defer {
            if isOpen { close(file) }
            unlink(temporary)
        }
        var builder = DigestBuilder()
        try scan(path) { piece in
            builder.update(piece)
            var done = 0
            while done < piece.count {
                let count = write(file, piece.baseAddress?.advanced(by: done), piece.count - done)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw failure("write", temporary)
                }
                done += count
            }
            return true
        }
        try Failpoint.reach("disk.write.before-sync")
        guard fsync(file) == 0 else { throw failure("make durable", temporary) }
        close(file)
        isOpen = false
        guard builder.finish() == digest else { return false }
        try Failpoint.reach("disk.replace.before-rename")
        guard rename(temporary, target) == 0 else { throw failure("write", target) }
        _ = try sync(file: target)
        return true
    }
}
