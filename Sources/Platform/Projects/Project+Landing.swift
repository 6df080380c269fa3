internal import Core
internal import Storage

extension Project {
    /// Returns the entries of the folder `landing` that belong to no source, folders with their number of files.
    ///
    /// Names that begin with a dot do not count.
    package func unclaimedLanding() throws -> [(path: String, files: Int)] {
        let root = folder + "/landing"
        let claimed = sources.map(\.landing)
        guard !claimed.contains(root) else { return [] }
        return try Disk.list(root).filter { !$0.hasPrefix(".") }.compactMap { name in
            let path = "\(root)/\(name)"
            // A folder between here and a source's own is no stray one.
            if claimed.contains(where: { $0 == path || $0.hasPrefix(path + "/") }) { return nil }
            let files = Disk.isDirectory(path) ? try Disk.list(path).count { !$0.hasPrefix(".") } : 1
            return ("landing/\(name)", files)
        }
    }
}
