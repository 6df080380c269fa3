internal import Core

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// An open file that grows at its end, closed when nobody holds it any more.
package final class AppendedFile: Sendable {
    private let file: Int32
    private let path: String

    /// Makes a file that must not be there yet, for its owner's eyes only; its name is not durable before
    /// ``Disk/syncNames(in:)``.
    package init(creating path: String) throws {
        self.path = path
        file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Disk.failure("write", path) }
    }

    /// Opens a file that is there, to go on behind what it holds or to cut it; from now on its owner's alone.
    package init(continuing path: String) throws {
        self.path = path
        file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard file >= 0, fchmod(file, 0o600) == 0 else { throw Disk.failure("write", path) }
    }

    /// Appends all of the bytes. When it throws, a part of them may have been appended.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            #if canImport(Glibc)
                let count = Glibc.write(file, rest.baseAddress, rest.count)
            #else
                let count = Darwin.write(file, rest.baseAddress, rest.count)
            #endif
            if count < 0 {
                if errno == EINTR { continue }
                throw Disk.failure("write", path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Makes what was written durable, though not the name. After a failure it must not be tried again: the next one
    /// may report success for pages that were dropped.
    package func sync() throws {
        #if canImport(Glibc)
            let result = fdatasync(file)
        #else
            let result = fsync(file)
        #endif
        guard result == 0 else { throw Disk.failure("make durable", path) }
    }

    package func truncate(to size: Int) throws {
        guard ftruncate(file, off_t(size)) == 0 else { throw Disk.failure("write", path) }
    }

    deinit { close(file) }
}

extension Disk {
    /// Makes the names in a folder durable as they are seen now; not those in folders below it.
    package static func syncNames(in folder: String) throws {
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("open", folder) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("make durable", folder) }
    }

    /// Gives a file another name, in place of what has that name. Not durable.
    package static func move(_ path: String, to other: String) throws {
        guard rename(path, other) == 0 else { throw failure("rename", path) }
    }
}
