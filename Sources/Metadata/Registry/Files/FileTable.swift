internal import Core
internal import SQLText

/// The table `files`.
struct FileTable {
    private let transaction: MetadataTransaction

    init(_ transaction: MetadataTransaction) { self.transaction = transaction }

    func digest(_ path: String, _ stamp: FileStamp) throws -> Digest? {
        try transaction.connection.row(
            """
            SELECT digest FROM files
            WHERE project = \(transaction.project) AND path = \(path) AND size = \(stamp.size)
                AND mtime_ns = \(stamp.modified) AND ctime_ns = \(stamp.changed) AND inode = \(stamp.inode)
            """
        )?.digest("digest")
    }

    func paths(of digest: Digest) throws -> [String] {
        try transaction.connection.rows(
            "SELECT path FROM files WHERE project = \(transaction.project) AND digest = \(digest) ORDER BY path"
        ).map { try $0.text("path") }
    }

    func put(_ path: String, _ stamp: FileStamp, _ digest: Digest) throws {
        try transaction.connection.execute(
            """
            INSERT INTO files (project, path, size, mtime_ns, ctime_ns, inode, digest)
            VALUES (\(transaction.project), \(path), \(stamp.size), \(stamp.modified), \(stamp.changed), \(stamp.inode),
                \(digest))
            ON CONFLICT (project, path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns,
                ctime_ns = excluded.ctime_ns, inode = excluded.inode, digest = excluded.digest
            """)
    }
}
