/// Whole objects under names, as a disk, a bucket or a test's memory keeps them.
///
/// An object is seen whole or not at all, and what `create`, `replace` and `publish` have done is durable when they
/// return. Names are made by the program: parts between slashes, none of them empty, `.` or `..`; a last part that
/// begins with a dot is left to the store for what is not finished.
///
/// ```swift
/// let store = LocalObjectStore(home.lake)
/// let isNew = try store.create("bronze/visits/_delta_log/00000000000000000000.json", bytes)
/// let names = try store.list("bronze/visits/_delta_log/")
/// ```
///
/// Calls hold their thread. `ObjectStoreTests` has what every store must do.
package protocol ObjectStore: Sendable {
    /// Creates an object, unless the name is taken: of writers at the same time exactly one gets `true`.
    /// - Parameter mayWithdraw: whether the name may be taken back when it could not be made durable: nobody has built
    ///   upon it. Only asked then.
    func create(_ name: String, _ bytes: [UInt8], mayWithdraw: () -> Bool) throws -> Bool

    /// Creates an object, or replaces the one there is.
    func replace(_ name: String, _ bytes: [UInt8]) throws

    /// Creates an object from a local file that a library wrote, unless the name is taken; the file may stay.
    func publish(_ file: String, as name: String) throws -> Bool

    /// Reads an object, or those bytes of a range that it has; `nil` for all.
    /// - Throws: `disk.missing` when there is no such object.
    func read(_ name: String, _ range: Range<Int64>?) throws -> [UInt8]

    /// Returns the names that begin with a prefix, as far as the next slash: objects, and folders of objects.
    ///
    /// Sorted by their bytes. Folders are told without the slash; a local one may be empty.
    func list(_ prefix: String) throws -> [String]

    /// Deletes an object; no error when there is none.
    func delete(_ name: String) throws

    /// Returns size, time and tag of an object; `nil` when there is none.
    /// - Throws: when that cannot be determined.
    func stamp(_ name: String) throws -> ObjectStamp?

    /// Returns the path at which engines can read or write the object, whether it exists or not; `nil` when the store is
    /// not on this machine.
    func localPath(_ name: String) -> String?
}

/// What is known of an object without reading it.
package struct ObjectStamp: Sendable, Equatable {
    /// Size in bytes.
    package let size: Int64
    /// Time of the last change of the content, in nanoseconds since 1970.
    package let modified: Int64
    /// A text that is another one when the object was replaced; only the store knows its form.
    package let tag: String

    package init(size: Int64, modified: Int64, tag: String) {
        self.size = size
        self.modified = modified
        self.tag = tag
    }
}

extension ObjectStore {
    /// Creates an object, unless the name is taken.
    package func create(_ name: String, _ bytes: [UInt8]) throws -> Bool {
        try create(name, bytes, mayWithdraw: { true })
    }

    /// Reads a whole object. Throws `disk.missing` when there is none.
    package func read(_ name: String) throws -> [UInt8] { try read(name, nil) }

    /// Whether there is an object of this name.
    package func exists(_ name: String) throws -> Bool { try stamp(name) != nil }

    /// Gives an engine, which reads files, the paths of objects; of a store elsewhere copies that go afterwards.
    /// - Parameter folder: for copies.
    package func withFiles<Result>(
        of names: [String], copiesIn folder: String, _ body: ([String]) throws -> Result
    ) throws -> Result {
        let paths = names.compactMap(localPath)
        if paths.count == names.count { return try body(paths) }
        try Disk.makeDirectory(folder)
        var copies: [String] = []
        defer { copies.forEach(Disk.remove) }
        for name in names {
            let copy = Disk.temporaryName(for: "\(folder)/\(Disk.name(of: name))")
            copies.append(copy)
            try Disk.append(copy, try read(name))
        }
        return try body(copies)
    }
}
