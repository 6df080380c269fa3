internal import CLibrary
internal import Core

extension Disk {
    /// The type of a directory entry.
    package enum Kind: String, Sendable {
        case file = "a file"
        case folder = "a folder"
        case pipe = "a pipe"
        case socket = "a socket"
        case device = "a device"
        case danglingLink = "a link to nothing"
        case link = "a symbolic link"
    }

    /// Returns the type of the entry at a path.
    /// - Parameter followingLinks: whether a symbolic link counts as its target.
    /// - Returns: `nil` when there is no such entry.
    package static func kind(_ path: String, followingLinks: Bool = true) -> Kind? {
        var info = stat()
        guard (followingLinks ? stat(path, &info) : lstat(path, &info)) == 0 else {
            return lstat(path, &info) == 0 ? .danglingLink : nil
        }
        return kind(info)
    }

    /// Returns the type of the entry at a path without following links; `nil` only when it certainly does not exist.
    ///
    /// - Throws: `disk.read` when the entry cannot be examined.
    package static func kindUnlessMissing(_ path: String) throws -> Kind? {
        var info = stat()
        guard lstat(path, &info) == 0 else {
            if errno == ENOENT { return nil }
            throw failure("read", path)
        }
        return kind(info)
    }

    private static func kind(_ info: stat) -> Kind {
        switch info.st_mode & S_IFMT {
        case S_IFLNK: return .link
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        case S_IFIFO: return .pipe
        case S_IFSOCK: return .socket
        default: return .device
        }
    }

    /// Returns those of the files that a process has open for writing, with the process's id.
    ///
    /// Read from Linux's `/proc`, for processes that this one may examine: those of the same account, all for root;
    /// none of another machine or container. Elsewhere nothing is found. One pass over all open files of the machine,
    /// whatever the number of paths.
    package static func openForWriting(_ paths: [String]) throws -> [String: Int32] {
        #if canImport(Glibc)
            struct Identity: Hashable { let device, inode: UInt64 }
            var wanted: [Identity: [String]] = [:]
            for path in paths {
                var info = stat()
                guard stat(path, &info) == 0 else { continue }
                wanted[Identity(device: UInt64(info.st_dev), inode: UInt64(info.st_ino)), default: []].append(path)
            }
            guard !wanted.isEmpty else { return [:] }
            var found: [String: Int32] = [:]
            for process in try list("/proc").compactMap({ Int32($0) }) {
                guard let folder = opendir("/proc/\(process)/fd") else { continue }
                defer { closedir(folder) }
                while let entry = readdir(folder) {
                    // The link itself tells by its permissions how the file was opened.
                    var link = stat()
                    var info = stat()
                    let isOpen = withUnsafePointer(to: &entry.pointee.d_name) {
                        $0.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                            fstatat(dirfd(folder), name, &link, AT_SYMLINK_NOFOLLOW) == 0
                                && link.st_mode & S_IFMT == S_IFLNK && link.st_mode & S_IWUSR != 0
                                && fstatat(dirfd(folder), name, &info, 0) == 0
                        }
                    }
                    guard isOpen, info.st_mode & S_IFMT == S_IFREG else { continue }
                    let identity = Identity(device: UInt64(info.st_dev), inode: UInt64(info.st_ino))
                    for path in wanted[identity] ?? [] { found[path] = process }
                }
            }
            return found
        #else
            return [:]
        #endif
    }
}
