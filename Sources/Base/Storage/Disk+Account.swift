internal import CLibrary
internal import Core

extension Disk {
    /// Restricts a directory tree to its owner: files become 0600, directories 0700.
    ///
    /// Does nothing where nobody else may enter the folder: its own permissions change last, so what was interrupted is
    /// done again. Links are left alone, and so is what belongs to another account.
    package static func keepToAccount(_ folder: String) throws {
        guard let permissions = permissions(folder), permissions & 0o077 != 0 else { return }
        try closeAll(in: folder)
        chmod(folder, mode_t(permissions & 0o700))
    }

    private static func closeAll(in folder: String) throws {
        var info = stat()
        for name in try list(folder) {
            let path = "\(folder)/\(name)"
            guard lstat(path, &info) == 0, info.st_mode & S_IFMT != S_IFLNK else { continue }
            if info.st_mode & S_IFMT == S_IFDIR, access(path, R_OK | X_OK) == 0 { try closeAll(in: path) }
            if info.st_mode & 0o077 != 0 { chmod(path, info.st_mode & 0o700) }
        }
    }

    /// Returns the path with all symbolic links resolved; unchanged when that fails.
    package static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}
