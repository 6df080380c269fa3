import CLibrary
import Core
import Foundation
import Storage
import Synchronization
import Testing

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
            #expect(try Disk.list(folder) == ["a"], "no temporary file is left")
        }
    }

    @Test func `a file is replaced whole, and appended to`() throws {
        try withFolder { (folder: String) throws in
            try Disk.replaceDurably(folder + "/a", Array(repeating: 7, count: 3 << 20))
            try Disk.replaceDurably(folder + "/a", [1])
            try Disk.append(folder + "/a", [2, 3])
            #expect(try Disk.read(folder + "/a") == [1, 2, 3])
            #expect(try Disk.list(folder) == ["a"])
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
            #expect(try Disk.list(folder + "/none").isEmpty)
        }
    }

    @Test func `a folder that cannot be read is not an empty one`() throws {
        try withFolder { (folder: String) throws in
            #expect(try Disk.list(folder + "/none") == [])
            _ = try Disk.createDurably(folder + "/file", [1])
            #expect(try Disk.list(folder + "/file") == [], "a file has no entries")
            // A link that leads to itself cannot be opened by root either.
            #expect(symlink(folder + "/loop", folder + "/loop") == 0)
            #expect(throws: MartletError.self) { try Disk.list(folder + "/loop") }
            #expect(throws: MartletError.self) { try Disk.unreadableNames(folder + "/loop") }
        }
    }

    @Test func `a link is no file for who does not follow it`() throws {
        try withFolder { (folder: String) throws in
            _ = try Disk.createDurably(folder + "/file", [1])
            #expect(symlink(folder + "/file", folder + "/link") == 0)
            #expect(Disk.stamp(folder + "/link") == Disk.stamp(folder + "/file", followingLinks: false))
            #expect(Disk.stamp(folder + "/link", followingLinks: false) == nil)
            #expect(Disk.kind(folder + "/link") == .file && Disk.kind(folder + "/link", followingLinks: false) == .link)
            #expect(Disk.resolved(folder + "/link") == Disk.resolved(folder + "/file"))
            #expect(Disk.resolved(folder + "/none") == folder + "/none")
        }
    }

    @Test func `a tree is closed to other accounts once, and links out of it are left alone`() throws {
        try withFolder { (folder: String) throws in
            try Disk.makeDirectory(folder + "/home/a/b")
            _ = try Disk.createDurably(folder + "/home/a/b/rows", [1])
            _ = try Disk.createDurably(folder + "/outside", [1])
            #expect(chmod(folder + "/outside", 0o644) == 0 && chmod(folder + "/home/a/b/rows", 0o664) == 0)
            #expect(chmod(folder + "/home", 0o755) == 0 && chmod(folder + "/home/a", 0o775) == 0)
            #expect(symlink(folder + "/outside", folder + "/home/link") == 0)
            try Disk.keepToAccount(folder + "/home")
            let paths = ["/home", "/home/a", "/home/a/b", "/home/a/b/rows", "/outside"]
            #expect(paths.map { Disk.permissions(folder + $0) } == [0o700, 0o700, 0o700, 0o600, 0o644])
            try Disk.keepToAccount(folder + "/none")
        }
    }

    @Test func `a lock that another one holds closes its file once`() throws {
        try withFolder { (folder: String) throws in
            let path = folder + "/lock"
            let held = try #require(try FileLock(path))
            let isOver = Atomic<Bool>(false)
            let lost = Atomic<Int>(0)
            let group = DispatchGroup()
            // A descriptor that is closed twice is by then another thread's.
            for _ in 0..<2 {
                group.enter()
                Thread.detachNewThread {
                    while !isOver.load(ordering: .relaxed) {
                        let file = open(path, O_RDONLY)
                        for _ in 0..<20 where fcntl(file, F_GETFD) < 0 { lost.add(1, ordering: .relaxed) }
                        if close(file) != 0 { lost.add(1, ordering: .relaxed) }
                    }
                    group.leave()
                }
            }
            for _ in 0..<50_000 { #expect(try FileLock(path) == nil) }
            isOver.store(true, ordering: .relaxed)
            group.wait()
            #expect(lost.load(ordering: .relaxed) == 0)
            withExtendedLifetime(held) {}
        }
    }

    @Test func `what a terminal would obey is shown as an escape`() {
        #expect("a\u{1B}[2Jb\nc\u{7}".visible == "a\\u{1B}[2Jb\\nc\\u{7}")
        #expect("a\tb\nc\r\u{202E}".visibleLines == "a\tb\nc\\r\\u{202E}")
        #expect("Möwe 👩‍🔬 a\u{301}".visible == "Möwe 👩‍🔬 a\u{301}")
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
            #expect(try Disk.list(folder) == ["kept"])
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
