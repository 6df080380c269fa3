internal import CLibrary
package import Core
internal import Synchronization

/// File system operations on whole files, durable where they say so, with readable errors.
///
/// ```swift
/// let bytes = try Disk.read(path)
/// let isNew = try Disk.createDurably(other, bytes)  // false when the name is taken
/// try Disk.replaceDurably(path, bytes)
/// ```
///
/// Durable means written, fsynced and named in an fsynced directory before the call returns.
package enum Disk {
    /// Size, times and inode of a file, compared to detect that it was changed.
    package struct Stamp: Sendable, Equatable {
        /// Size of the content in bytes.
        package let size: Int64
        /// Time of the last change of the content (mtime), in nanoseconds since 1970.
        package let modified: Int64
        /// Time of the last change of the inode (ctime), in nanoseconds since 1970.
        package let changed: Int64
        /// Inode number, which differs when another file was moved to the path.
        package let inode: UInt64
    }

    /// Whether something exists at a path; true also when an I/O error prevents the answer.
    ///
    /// Reading it then reports why.
    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 || errno == EIO }

    /// Whether the path is an existing directory.
    package static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }

    /// Returns the stamp of a regular file; `nil` when there is none.
    /// - Parameter followingLinks: without it a symbolic link is no file.
    package static func stamp(_ path: String, followingLinks: Bool = true) -> Stamp? {
        var info = stat()
        guard (followingLinks ? stat(path, &info) : lstat(path, &info)) == 0, info.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        #if canImport(Glibc)
            let modified = Int64(info.st_mtim.tv_sec) * 1_000_000_000 + Int64(info.st_mtim.tv_nsec)
            let changed = Int64(info.st_ctim.tv_sec) * 1_000_000_000 + Int64(info.st_ctim.tv_nsec)
        #else
            let modified = Int64(info.st_mtimespec.tv_sec) * 1_000_000_000 + Int64(info.st_mtimespec.tv_nsec)
            let changed = Int64(info.st_ctimespec.tv_sec) * 1_000_000_000 + Int64(info.st_ctimespec.tv_nsec)
        #endif
        return Stamp(size: Int64(info.st_size), modified: modified, changed: changed, inode: UInt64(info.st_ino))
    }

    /// Returns the permission bits of a file, as for `chmod`; `nil` when there is none.
    package static func permissions(_ path: String) -> UInt32? {
        var info = stat()
        return stat(path, &info) == 0 ? UInt32(info.st_mode) & 0o7777 : nil
    }

    /// Reads a whole file. Throws `disk.read`.
    package static func read(_ path: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try scan(path) { piece in
            bytes.append(contentsOf: piece)
            return true
        }
        return bytes
    }

    /// Reads a file from `offset` on in pieces, until the closure returns `false` or the file ends.
    /// - Parameter pieceBytes: the most bytes of a piece.
    package static func scan(
        _ path: String, from offset: Int64 = 0, pieceBytes: Int = 1 << 20,
        _ body: (UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("read", path) }
        defer { close(file) }
        if offset > 0, lseek(file, off_t(offset), SEEK_SET) < 0 { throw failure("read", path) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = CLibrary.read(file, buffer.baseAddress, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("read", path)
            }
            if count == 0 { return }
            if try !body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { return }
        }
    }

    /// Creates a directory and its parents. Throws `disk.write`.
    package static func makeDirectory(_ path: String) throws {
        if path.isEmpty || isDirectory(path) { return }
        try makeDirectory(parent(of: path))
        if mkdir(path, 0o755) == 0 {
            try Failpoint.reach("disk.directory.made")
            do { try sync(directory: parent(of: path)) } catch {
                // What cannot be made safe must not be found, and trusted, by the next one who looks.
                rmdir(path)
                throw error
            }
        } else if errno != EEXIST || !isDirectory(path) {
            throw failure("make the directory", path)
        }
    }

    /// Writes a new file atomically and durably; returns `false`, and changes nothing, when the name is taken.
    ///
    /// Temporary name, fsync, link, fsync of the directory.
    ///
    /// A failed fsync is never tried again: the next one may report success for pages that were dropped (the
    /// PostgreSQL lesson of 2018). When the name cannot be made durable it is taken back, so that the whole is done
    /// anew from the bytes.
    /// - Parameters:
    ///   - permissions: who may do what with it, as `chmod` has it, less what the process's mask takes.
    ///   - mayWithdraw: whether the name may still be taken back: nobody has built upon it.
    package static func createDurably(
        _ path: String, _ bytes: [UInt8], permissions: UInt32 = 0o644, mayWithdraw: () -> Bool = { true }
    ) throws -> Bool {
        let folder = parent(of: path)
        let temporary = temporaryName(for: path)
        try writeSynced(temporary, bytes, permissions)
        defer { unlink(temporary) }
        try Failpoint.reach("disk.create.before-link")
        if link(temporary, path) != 0 {
            if errno == EEXIST { return false }
            throw failure("write", path)
        }
        try Failpoint.reach("disk.create.after-link")
        do { try sync(directory: folder) } catch {
            if mayWithdraw() { unlink(path) }
            throw error
        }
        try Failpoint.reach("disk.create.after-directory-sync")
        return true
    }

    /// Replaces a file atomically and durably.
    package static func replaceDurably(_ path: String, _ bytes: [UInt8]) throws {
        let folder = parent(of: path)
        let temporary = temporaryName(for: path)
        try writeSynced(temporary, bytes)
        try Failpoint.reach("disk.replace.before-rename")
        if rename(temporary, path) != 0 {
            let error = failure("write", path)
            unlink(temporary)
            throw error
        }
        try Failpoint.reach("disk.replace.after-rename")
        try sync(directory: folder)
    }

    /// Renames a file that a library wrote under a temporary name to its final name, durably.
    ///
    /// Returns `false`, and leaves what is there, when the name is taken. The temporary name stays.
    package static func publish(_ temporary: String, as path: String) throws -> Bool {
        _ = try sync(file: temporary)
        try Failpoint.reach("disk.publish.before-link")
        if link(temporary, path) != 0 {
            if errno == EEXIST { return false }
            throw failure("write", path)
        }
        try Failpoint.reach("disk.publish.after-link")
        do { try sync(directory: parent(of: path)) } catch {
            unlink(path)
            throw error
        }
        return true
    }

    /// Makes a file that a library wrote durable, and its name too; returns its size in bytes.
    package static func sync(file path: String) throws -> Int64 {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("read", path) }
        defer { close(file) }
        try Failpoint.reach("disk.data.before-sync")
        guard fsync(file) == 0 else { throw failure("make durable", path) }
        try Failpoint.reach("disk.data.after-sync")
        var info = stat()
        guard fstat(file, &info) == 0 else { throw failure("read", path) }
        try sync(directory: parent(of: path))
        return Int64(info.st_size)
    }

    /// Makes the name of a directory, and the names in it, durable as they are now.
    package static func syncNames(of folder: String) throws {
        func descend(_ folder: String) throws {
            var info = stat()
            for name in try list(folder) {
                let path = "\(folder)/\(name)"
                if lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR { try descend(path) }
            }
            try sync(directory: folder)
        }
        try descend(folder)
        try sync(directory: parent(of: folder))
    }

    /// Deletes a file and ignores failures; for files that nothing depends on.
    package static func remove(_ path: String) { unlink(path) }

    /// Deletes a file; no error when it does not exist.
    package static func delete(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
    }

    /// Deletes a directory with its content; no error when it does not exist. Does not follow links.
    package static func removeTree(_ path: String) {
        var info = stat()
        guard lstat(path, &info) == 0 else { return }
        guard info.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        // What cannot be listed stays, and so does its folder.
        for entry in (try? list(path)) ?? [] { removeTree("\(path)/\(entry)") }
        rmdir(path)
    }

    /// Returns the bytes available to this user on the file system of a path; `nil` when unknown.
    package static func freeBytes(_ path: String) -> Int64? {
        var info = statvfs()
        guard statvfs(path, &info) == 0 else { return nil }
        return Int64(info.f_bavail) * Int64(info.f_frsize)
    }

    /// Id of this process (pid).
    package static var processID: Int32 { getpid() }

    /// Whether a process with this id exists.
    package static func isAlive(process id: Int32) -> Bool { kill(id, 0) == 0 || errno == EPERM }

    /// Whether this process may write to the path.
    package static func isWritable(_ path: String) -> Bool { access(path, W_OK) == 0 }

    /// Returns the absolute form of a path, without `.`, `..` and double slashes; links are not resolved.
    package static func absolute(_ path: String) -> String {
        var full = path
        if !path.hasPrefix("/") {
            var buffer = [CChar](repeating: 0, count: 4097)
            let here = getcwd(&buffer, 4096).map { String(cString: $0) } ?? "/"
            full = here + "/" + path
        }
        var parts: [Substring] = []
        for part in full.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// Returns the path of the directory that contains a path.
    package static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Returns the last component of a path.
    package static func name(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return path }
        return String(path[path.index(after: slash)...])
    }

    /// Makes an error from `errno` for a failed operation; call it before any other system call.
    package static func failure(_ verb: String, _ path: String) -> MartletError {
        let number = errno
        let path = path.visible
        let reason = String(cString: strerror(number))
        switch number {
        case ENOENT:
            return MartletError(.missing, "disk.missing", "There is no file or folder \(path).")
        case ENOSPC, EDQUOT:
            return MartletError(
                .machine, "disk.full", "Could not \(verb) \(path): the disk is full.",
                remedy: "Free some space and run the same command again; it goes on where it stopped.")
        case EACCES, EPERM, EROFS:
            return MartletError(
                .machine, "disk.permission", "Could not \(verb) \(path): \(reason).",
                remedy: "Check who owns the folder and whether it is mounted read-only.")
        default:
            return MartletError(.machine, "disk.failed", "Could not \(verb) \(path): \(reason).")
        }
    }

    /// A name for what becomes a file, in its folder, that begins with a dot and ends with `.tmp`.
    ///
    /// Another one each time: two threads that write the same path must not share their unfinished bytes.
    package static func temporaryName(for path: String) -> String {
        let number = serial.add(1, ordering: .relaxed).newValue
        return "\(parent(of: path))/.\(name(of: path)).\(getpid())-\(number).tmp"
    }

    private static let serial = Atomic<UInt64>(0)

    private static func writeSynced(_ path: String, _ bytes: [UInt8], _ permissions: UInt32 = 0o644) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode_t(permissions))
        guard file >= 0 else { throw failure("write", path) }
        defer { close(file) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                CLibrary.write(file, $0.baseAddress?.advanced(by: done), bytes.count - done)
            }
            if count < 0 {
                if errno == EINTR { continue }
                let error = failure("write", path)
                unlink(path)
                throw error
            }
            done += count
        }
        try Failpoint.reach("disk.write.before-sync")
        guard fsync(file) == 0 else {
            let error = failure("make durable", path)
            unlink(path)
            throw error
        }
    }

    private static func sync(directory path: String) throws {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("open", path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("make durable", path) }
    }
}

extension Disk {
    /// Appends bytes to a file, creating it if needed. Not durable: for logs.
    package static func append(_ path: String, _ bytes: [UInt8]) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure("write", path) }
        defer { close(file) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { CLibrary.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            rest = rest.dropFirst(count)
        }
    }

    /// Copies a byte range of a file over another file, up to the point that `upTo` decides. Not durable: for scratch.
    ///
    /// The other file is overwritten in place, so that its pages in memory are reused.
    ///
    /// - Parameter upTo: how much of a piece belongs to the part; `nil` when all of it does and more may follow.
    /// - Parameter permissions: of the other file when it is made.
    /// - Returns: how many bytes were copied.
    package static func copyPart(
        of path: String, from offset: Int64, to target: String, permissions: UInt32 = 0o644,
        upTo end: (UnsafeRawBufferPointer) throws -> Int?
    ) throws -> Int64 {
        let file = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, mode_t(permissions))
        guard file >= 0 else { throw failure("write", target) }
        defer { close(file) }
        var total: Int64 = 0
        try scan(path, from: offset) { piece in
            let stop = try end(piece)
            var rest = UnsafeRawBufferPointer(rebasing: piece[..<(stop ?? piece.count)])
            while !rest.isEmpty {
                let count = CLibrary.write(file, rest.baseAddress, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw failure("write", target)
                }
                total += Int64(count)
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return stop == nil
        }
        guard ftruncate(file, off_t(total)) == 0 else { throw failure("write", target) }
        return total
    }
}
