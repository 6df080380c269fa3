internal import Core
package import Storage

/// An open segment file of the log's writer. One thread writes, another may fsync at the same time.
package protocol SegmentFile: AnyObject, Sendable {
    /// Appends all of the bytes. When it throws, a part of them may have been appended.
    func write(_ bytes: UnsafeRawBufferPointer) throws
    /// Makes durable what was written before.
    func sync() throws
    /// Cuts the file off at this size in bytes, to remove what a failed write left.
    func truncate(to size: Int) throws
}

/// The disk operations of the log, replaceable in tests by a full or failing disk.
package protocol SegmentDisk: Sendable {
    /// Makes a file that must not be there yet. Its name is not durable before ``sync(folder:)``.
    func create(_ path: String) throws -> any SegmentFile
    /// Makes the names of the files in the folder durable.
    func sync(folder: String) throws
    /// Bytes free where the folder is; `nil` when unknown.
    func freeBytes(_ folder: String) -> Int64?
}

extension SegmentDisk {
    /// The free bytes of the folder's file system.
    package func freeBytes(_ folder: String) -> Int64? { Disk.freeBytes(folder) }
}

/// The `SegmentDisk` on the real file system.
package struct RealDisk: SegmentDisk {
    package init() {}

    package func create(_ path: String) throws -> any SegmentFile { try AppendedFile(creating: path) }
    package func sync(folder: String) throws { try Disk.syncNames(in: folder) }
}

extension AppendedFile: SegmentFile {}
