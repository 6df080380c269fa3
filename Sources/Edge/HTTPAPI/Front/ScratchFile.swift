internal import CLibrary
internal import Core
internal import Storage

/// An unnamed temporary file, deleted with its last reference. Its calls block.
final class ScratchFile: Sendable {
    private let file: Int32
    private let folder: String

    /// - Parameters:
    ///   - folder: made when it is not there.
    ///   - name: one that no other file has.
    init(in folder: String, name: String) throws {
        self.folder = folder
        try Disk.makeDirectory(folder)
        file = open("\(folder)/\(name)", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Disk.failure("write", folder) }
        unlink("\(folder)/\(name)")
    }

    func write(_ bytes: [UInt8], at offset: Int) throws {
        try bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = pwrite(
                    file, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset + done))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw Disk.failure("write", folder) }
                done += count
            }
        }
    }

    /// Exactly so many bytes.
    func read(_ count: Int, at offset: Int) throws -> [UInt8] {
        let folder = folder
        return try [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            while done < count {
                let more = pread(
                    file, buffer.baseAddress?.advanced(by: done), count - done, off_t(offset + done))
                if more < 0, errno == EINTR { continue }
                guard more > 0 else { throw Disk.failure("read", folder) }
                done += more
            }
        }
    }

    /// Whether so many bytes more leave the others some of the disk: a tenth of it, at most 1 GiB.
    func leavesRoom(for count: Int) -> Bool {
        var system = statvfs()
        guard fstatvfs(file, &system) == 0 else { return true }
        let block = UInt64(system.f_frsize)
        let reserve = min(UInt64(1 << 30), UInt64(system.f_blocks) &* block / 10)
        return UInt64(system.f_bavail) &* block >= reserve + UInt64(count)
    }

    /// Gives the disk back what the file took.
    func empty() throws { if ftruncate(file, 0) != 0 { throw Disk.failure("write", folder) } }

    /// Lends the file itself.
    func withDescriptor<T>(_ body: (Int32) throws -> T) rethrows -> T { try body(file) }

    deinit { close(file) }
}
