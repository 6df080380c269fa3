internal import Core
package import Storage

/// A segment as its writer uses it. One thread writes, another may make durable at the same time.
package protocol SegmentFile: AnyObject, Sendable {
    /// Appends all of the bytes. When it throws, a part of them may have been appended.
    func write(_ bytes: UnsafeRawBufferPointer) throws
    /// Makes durable what was written before.
    func sync() throws
    func truncate(to size: Int) throws
}

/// What the log needs of a disk, so that tests can have one that is full or broken.
package protocol SegmentDisk: Sendable {
    /// Makes a file that must not be there yet. Its name is not durable before ``sync(folder:)``.
    func create(_ path: String) throws -> any SegmentFile
    func sync(folder: String) throws
    /// Bytes free where the folder is; `nil` when that cannot be told.
    func freeBytes(_ folder: String) -> Int64?
}

extension SegmentDisk {
    package func freeBytes(_ folder: String) -> Int64? { Disk.freeBytes(folder) }
}

/// The file system.
package struct RealDisk: SegmentDisk {
    package init() {}

    package func create(_ path: String) throws -> any SegmentFile { try AppendedFile(creating: path) }
    package func sync(folder: String) throws { try Disk.syncNames(in: folder) }
}

extension AppendedFile: SegmentFile {}
