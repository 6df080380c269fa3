internal import SQLText
internal import Vocabulary

/// The table `files`.
struct FileTable {
    private let page: Page

    init(_ page: Page) { self.page = page }

    func digest(_ path: String, _ stamp: FileStamp) throws -> Digest? {
        try page.connection.row(
            """
            SELECT digest FROM files
            WHERE project = \(page.project) AND path = \(path) AND size = \(stamp.size)
                AND mtime_ns = \(stamp.modified) AND ctime_ns = \(stamp.changed) AND inode = \(stamp.inode)
            """
        )?.digest("digest")
    }

    func paths(of digest: Digest) throws -> [String] {
        try page.connection.rows(
            "SELECT path FROM files WHERE project = \(page.project) AND digest = \(digest) ORDER BY path"
        ).map { try $0.text("path") }
    }

    func put(_ path: String, _ stamp: FileStamp, _ digest: Digest) throws {
        try page.connection.execute(
            """
            INSERT INTO files (project, path, size, mtime_ns, ctime_ns, inode, digest)
            VALUES (\(page.project), \(path), \(stamp.size), \(stamp.modified), \(stamp.changed), \(stamp.inode),
                \(digest))
            ON CONFLICT (project, path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns,
                ctime_ns = excluded.ctime_ns, inode = excluded.inode, digest = excluded.digest
            """)
    }
}
