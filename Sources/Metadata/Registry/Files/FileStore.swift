package import Core

/// Size, times and inode of a file; if they are unchanged, the content is taken as unchanged.
package struct FileStamp: Sendable, Hashable {
    /// Bytes.
    package let size: Int64
    /// Modification time, nanoseconds since 1970.
    package let modified: Int64
    /// Change time of the inode, nanoseconds since 1970; unlike `modified` no program can set it back.
    package let changed: Int64
    /// Inode number of the file; another one when the file was replaced under the same path.
    package let inode: Int64

    package init(size: Int64, modified: Int64, changed: Int64, inode: Int64) {
        self.size = size
        self.modified = modified
        self.changed = changed
        self.inode = inode
    }
}

/// Cache of file digests by path and stamp, so that unchanged files are not read again.
///
/// ```swift
/// let known = try registry.files.cachedDigests(of: [(path: path, stamp: stamp)])
/// ```
package struct FileStore: Sendable {
    let metadata: MetadataStore

    /// Returns the cached digests of these paths, `nil` where the stamp has changed; in one transaction.
    package func cachedDigests(of files: [(path: String, stamp: FileStamp)]) throws -> [Digest?] {
        try metadata.read { transaction in
            let table = FileTable(transaction)
            return try files.map { try table.digest($0.path, $0.stamp) }
        }
    }

    /// Returns the paths at which files with this digest were seen, whatever is there now.
    package func paths(of digest: Digest) throws -> [String] {
        try metadata.read { try FileTable($0).paths(of: digest) }
    }

    /// Caches the digest of one file.
    package func remember(_ digest: Digest, of path: String, stamp: FileStamp) throws {
        try remember([(path, stamp, digest)])
    }

    /// Caches the digests of files in one transaction.
    ///
    /// Leaves out a file changed less than a second ago: within the granularity of the file system's clock it could
    /// change again without a new stamp.
    package func remember(_ files: [(path: String, stamp: FileStamp, digest: Digest)]) throws {
        let settled = metadata.context.now().microseconds - 1_000_000
        let files = files.filter { max($0.stamp.modified, $0.stamp.changed) / 1000 < settled }
        guard !files.isEmpty else { return }
        try metadata.write { transaction in
            for file in files { try FileTable(transaction).put(file.path, file.stamp, file.digest) }
        }
    }
}
