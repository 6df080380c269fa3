import Foundation
import Testing
import Vocabulary

@Suite struct `The disk` {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-disk-\(UUID().uuidString)")
            .path
        try Disk.makeDirectory(folder)
        defer { Disk.removeTree(folder) }
        try body(folder)
    }

    @Test func `a file is made once: a taken name is refused and its content stays`() throws {
        try withFolder { (folder: String) throws in
            #expect(try Disk.createDurably(folder + "/a", [1, 2, 3]))
            #expect(try Disk.createDurably(folder + "/a", [9]) == false)
            #expect(try Disk.read(folder + "/a") == [1, 2, 3])
            #expect(Disk.list(folder) == ["a"], "no temporary file is left")
        }
    }

    @Test func `a file is replaced whole, and appended to`() throws {
        try withFolder { (folder: String) throws in
            try Disk.replaceDurably(folder + "/a", Array(repeating: 7, count: 3 << 20))
            try Disk.replaceDurably(folder + "/a", [1])
            try Disk.append(folder + "/a", [2, 3])
            #expect(try Disk.read(folder + "/a") == [1, 2, 3])
            #expect(Disk.list(folder) == ["a"])
        }
    }

    @Test func `large files are read in pieces, as far as asked`() throws {
        try withFolder { (folder: String) throws in
            let bytes = (0..<(3 << 20) + 5).map { UInt8(truncatingIfNeeded: $0) }
            _ = try Disk.createDurably(folder + "/a", bytes)
            #expect(try Disk.read(folder + "/a") == bytes)
            var pieces = 0
            try Disk.scan(folder + "/a") { piece in
                pieces += 1
                return piece.count < 0
            }
            #expect(pieces == 1)
            #expect(Disk.stamp(folder + "/a")?.size == Int64(bytes.count))
            #expect(Disk.stamp(folder) == nil)
        }
    }

    @Test func `what is not there or may not be is an error for people`() throws {
        try withFolder { (folder: String) throws in
            #expect(throws: MartletError.self) { try Disk.read(folder + "/none") }
            do { _ = try Disk.read(folder + "/none") } catch let error as MartletError {
                #expect(error.code == "disk.missing" && error.exitCode == 1)
                #expect(error.description.contains(folder + "/none"))
            }
            _ = try Disk.createDurably(folder + "/file", [1])
            #expect(throws: MartletError.self) { try Disk.makeDirectory(folder + "/file/below") }
            #expect(throws: MartletError.self) { _ = try Disk.createDurably(folder + "/no/folder/a", [1]) }
            #expect(Disk.list(folder + "/none").isEmpty)
        }
    }

    @Test func `a tree is removed without following links`() throws {
        try withFolder { (folder: String) throws in
            try Disk.makeDirectory(folder + "/kept")
            _ = try Disk.createDurably(folder + "/kept/a", [1])
            try Disk.makeDirectory(folder + "/gone/deep")
            _ = try Disk.createDurably(folder + "/gone/deep/b", [1])
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/gone/link", withDestinationPath: folder + "/kept")
            Disk.removeTree(folder + "/gone")
            #expect(Disk.list(folder) == ["kept"])
            #expect(Disk.exists(folder + "/kept/a"))
        }
    }

    @Test(arguments: [
        ("/a/b/../c", "/a/c"), ("/a//b/./c/", "/a/b/c"), ("/../..", "/"), ("/", "/"), ("/a/../../b", "/b"),
        ("//x", "/x"),
    ])
    func `absolute paths lose dots and double slashes`(path: String, plain: String) {
        #expect(Disk.absolute(path) == plain)
    }

    @Test func `relative paths stand under the current folder`() {
        let here = Disk.absolute(".")
        #expect(here == FileManager.default.currentDirectoryPath)
        #expect(Disk.absolute("a/../b") == (here == "/" ? "/b" : here + "/b"))
        #expect(Disk.absolute("..") == Disk.parent(of: here))
    }

    @Test(arguments: [("/a/b.c", "/a", "b.c"), ("/a", "/", "a"), ("a", ".", "a"), ("a/b", "a", "b")])
    func `paths have a parent and a name`(path: String, parent: String, name: String) {
        #expect(Disk.parent(of: path) == parent)
        #expect(Disk.name(of: path) == name)
    }

    @Test func `a lock has one holder at a time`() throws {
        try withFolder { (folder: String) throws in
            var first = try FileLock(folder + "/made/lock")
            #expect(first != nil)
            #expect(try FileLock(folder + "/made/lock") == nil)
            first = nil
            #expect(try FileLock(folder + "/made/lock") != nil)
        }
    }
}
