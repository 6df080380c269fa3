internal import Core

/// Objects as files of the local disk: a name is the path below a folder.
///
/// Folders are made when the first object in them is. Unfinished files have a name that begins with a dot and ends with
/// `.tmp`, and are no objects.
package struct LocalObjectStore: ObjectStore {
    /// Path of the folder that all names are below; it need not exist.
    package let folder: String

    package init(_ folder: String) { self.folder = folder }

    private func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// The path of the file that the object is, or would be.
    package func localPath(_ name: String) -> String? { path(name) }

    /// Creates an object by ``Disk/createDurably(_:_:permissions:mayWithdraw:)``.
    package func create(_ name: String, _ bytes: [UInt8], mayWithdraw: () -> Bool) throws -> Bool {
        let path = path(name)
        try Disk.makeDirectory(Disk.parent(of: path))
        return try Disk.createDurably(path, bytes, mayWithdraw: mayWithdraw)
    }

    /// Replaces an object by ``Disk/replaceDurably(_:_:)``.
    package func replace(_ name: String, _ bytes: [UInt8]) throws {
        let path = path(name)
        try Disk.makeDirectory(Disk.parent(of: path))
        try Disk.replaceDurably(path, bytes)
    }

    /// Links a file of the same file system to its final name by ``Disk/publish(_:as:)``; the file stays.
    package func publish(_ file: String, as name: String) throws -> Bool {
        let path = path(name)
        try Disk.makeDirectory(Disk.parent(of: path))
        return try Disk.publish(file, as: path)
    }

    /// Reads a file, or the bytes of a range.
    package func read(_ name: String, _ range: Range<Int64>?) throws -> [UInt8] {
        guard let range else { return try Disk.read(path(name)) }
        let wanted = range.clamped(to: 0..<Int64.max)
        var bytes: [UInt8] = []
        try Disk.scan(path(name), from: wanted.lowerBound, pieceBytes: max(1, min(wanted.count, 1 << 20))) { piece in
            bytes.append(contentsOf: piece.prefix(wanted.count - bytes.count))
            return bytes.count < wanted.count
        }
        return bytes
    }

    /// Lists one folder.
    package func list(_ prefix: String) throws -> [String] {
        let end = prefix.lastIndex(of: "/").map(prefix.index(after:)) ?? prefix.startIndex
        let (parent, start) = (prefix[..<end], prefix[end...])
        var names = try Disk.list(path(String(parent)))
        names.removeAll { $0.hasPrefix(".") && $0.hasSuffix(".tmp") || !$0.utf8.starts(with: start.utf8) }
        // Those of ASCII are in order already.
        if !names.allSatisfy({ $0.utf8.allSatisfy { $0 < 128 } }) { names.sort { $0.precedes(inBytes: $1) } }
        return names.map { parent + $0 }
    }

    /// Deletes a file.
    package func delete(_ name: String) throws { try Disk.delete(path(name)) }

    /// Returns the stamp of a file. What is there and is none is told as reading it tells.
    package func stamp(_ name: String) throws -> ObjectStamp? {
        let path = path(name)
        if let found = Disk.stamp(path) { return ObjectStamp(found) }
        guard Disk.exists(path) else { return nil }
        try Disk.scan(path, pieceBytes: 1) { _ in false }
        return Disk.stamp(path).map { ObjectStamp($0) }
    }
}

extension ObjectStamp {
    /// The stamp of a file; its tag tells inode, size and both times.
    package init(_ stamp: Disk.Stamp) {
        self.init(
            size: stamp.size, modified: stamp.modified,
            tag: "\(stamp.inode) \(stamp.size) \(stamp.modified) \(stamp.changed)")
    }
}
