internal import CLibrary
internal import Core

/// An open file that is only appended to, with explicit fsync; closed when the last reference is gone.
///
/// ```swift
/// let file = try AppendedFile(creating: path)
/// try bytes.withUnsafeBytes { try file.write($0) }
/// try file.sync()
/// ```
package final class AppendedFile: Sendable {
    private let file: Int32
    private let path: String

    /// Creates a file that must not exist, with permissions for its owner only.
    ///
    /// Its name is not durable before ``Disk/syncNames(in:)``.
    package init(creating path: String) throws {
        self.path = path
        file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Disk.failure("write", path) }
    }

    /// Opens an existing file for appending or truncating, and restricts it to its owner.
    package init(continuing path: String) throws {
        self.path = path
        file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard file >= 0, fchmod(file, 0o600) == 0 else { throw Disk.failure("write", path) }
    }

    /// Appends all of the bytes. When it throws, some of them may have been appended.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = CLibrary.write(file, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw Disk.failure("write", path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Makes the written bytes durable (fsync), though not the file's name.
    ///
    /// After a failure it must not be tried again: the next one may report success for pages that were dropped.
    package func sync() throws {
        #if canImport(Glibc)
            let result = fdatasync(file)
        #else
            let result = fsync(file)
        #endif
        guard result == 0 else { throw Disk.failure("make durable", path) }
    }

    /// Cuts the file to a size in bytes.
    package func truncate(to size: Int) throws {
        guard ftruncate(file, off_t(size)) == 0 else { throw Disk.failure("write", path) }
    }

    deinit { close(file) }
}

extension Disk {
    /// Makes the names in a directory durable as they are now; not those of subdirectories.
    package static func syncNames(in folder: String) throws {
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("open", folder) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("make durable", folder) }
    }

    /// Renames a file, replacing what has the new name. Not durable.
    package static func move(_ path: String, to other: String) throws {
        guard rename(path, other) == 0 else { throw failure("rename", path) }
    }
}
