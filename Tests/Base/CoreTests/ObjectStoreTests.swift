import Core
import Foundation
import Storage
import Synchronization
import TestSupport
import Testing

/// What every object store must do, whatever keeps the objects.
@Suite struct `Any object store` {
    /// A kind of store, with how an empty one is made.
    struct Kind: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// - Parameter folder: for a store that is on the local disk.
        let make: @Sendable (_ folder: String) -> any ObjectStore
    }

    static let kinds = [
        Kind(testDescription: "local disk") { LocalObjectStore($0 + "/objects") },
        Kind(testDescription: "memory") { _ in MemoryObjectStore() },
    ]

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Runs a body on eight threads at the same time, and returns the errors.
    private func together(_ body: @escaping @Sendable (_ writer: Int) throws -> Void) -> [String] {
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 8) { writer in
            do { try body(writer) } catch { failures.withLock { $0.append("\(error)") } }
        }
        return failures.withLock { $0 }
    }

    private func code(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return (error as? MartletError)?.code ?? "\(error)" }
        return nil
    }

    @Test(arguments: kinds) func `of eight writers at the same time exactly one creates an object`(_ kind: Kind) throws
    {
        let store = kind.make(folder.path)
        let winners = Mutex<[Int: [Int]]>([:])
        let failures = together { writer in
            for number in 0..<25 {
                let bytes = [UInt8](repeating: UInt8(writer), count: 10_000)
                if try store.create("log/\(number).json", bytes) {
                    winners.withLock { $0[number, default: []].append(writer) }
                }
            }
        }
        #expect(failures == [])
        for number in 0..<25 {
            let won = winners.withLock { $0[number] ?? [] }
            #expect(won.count == 1)
            #expect(try store.read("log/\(number).json") == [UInt8](repeating: UInt8(won.first ?? 99), count: 10_000))
        }
        #expect(try store.list("log/").count == 25, "nothing else is left")
    }

    @Test(arguments: kinds) func `a taken name stays as it is`(_ kind: Kind) throws {
        let store = kind.make(folder.path)
        #expect(try store.create("a", [1, 2]))
        #expect(try !store.create("a", [3]))
        #expect(try !store.publish(try folder.write("ready", [4]), as: "a"))
        #expect(try store.read("a") == [1, 2])
    }

    @Test(arguments: kinds) func `who reads while an object is replaced gets one of its contents whole`(
        _ kind: Kind
    ) throws {
        let store = kind.make(folder.path)
        try store.replace("hints/last", [UInt8](repeating: 0, count: 50_000))
        let torn = Atomic<Int>(0)
        let failures = together { writer in
            for round in 0..<20 {
                if writer < 2 { try store.replace("hints/last", [UInt8](repeating: UInt8(round), count: 50_000)) }
                let bytes = try store.read("hints/last")
                if bytes.count != 50_000 || Set(bytes).count != 1 { torn.add(1, ordering: .relaxed) }
            }
        }
        #expect(failures == [])
        #expect(torn.load(ordering: .relaxed) == 0)
        #expect(try store.list("hints/") == ["hints/last"])
    }

    @Test(arguments: kinds) func `another content has another stamp`(_ kind: Kind) throws {
        let store = kind.make(folder.path)
        #expect(try store.stamp("a/b") == nil && !store.exists("a/b"))
        try store.replace("a/b", [1, 2, 3])
        let first = try #require(try store.stamp("a/b"))
        #expect(try first.size == 3 && store.stamp("a/b") == first && store.exists("a/b"))
        try store.replace("a/b", [4, 5, 6])
        let second = try #require(try store.stamp("a/b"))
        #expect(second.tag != first.tag && second.size == 3)
    }

    @Test(
        arguments: kinds,
        [
            (0, 10, 0, 10), (0, 1, 0, 1), (9, 10, 9, 10), (3, 7, 3, 7), (5, 5, 5, 5), (0, 0, 0, 0), (9, 99, 9, 10),
            (10, 20, 10, 10), (50, 60, 10, 10), (-5, 3, 0, 3), (0, Int64.max, 0, 10), (Int64.min, Int64.max, 0, 10),
        ] as [(Int64, Int64, Int, Int)])
    func `a range gives the bytes that are there`(_ kind: Kind, _ edges: (Int64, Int64, Int, Int)) throws {
        let store = kind.make(folder.path)
        let bytes = (0..<10).map { UInt8($0) }
        #expect(try store.create("data", bytes))
        #expect(try store.read("data", edges.0..<edges.1) == Array(bytes[edges.2..<edges.3]))
        #expect(try store.read("data") == bytes)
    }

    @Test(arguments: kinds) func `a large object is read in part and whole`(_ kind: Kind) throws {
        let store = kind.make(folder.path)
        let bytes = (0..<(5 << 19)).map { UInt8(truncatingIfNeeded: $0 >> 3) }
        #expect(try store.create("large", bytes))
        #expect(try store.read("large") == bytes)
        let middle = (1 << 20) - 3..<(2 << 20) + 5
        #expect(try store.read("large", Int64(middle.lowerBound)..<Int64(middle.upperBound)) == Array(bytes[middle]))
        #expect(try store.create("empty", []))
        #expect(try store.read("empty") == [] && store.read("empty", 0..<5) == [] && store.stamp("empty")?.size == 0)
    }

    @Test(arguments: kinds) func `what is not there is an error to read and none to delete`(_ kind: Kind) throws {
        let store = kind.make(folder.path)
        #expect(code { _ = try store.read("no/such") } == "disk.missing")
        #expect(code { _ = try store.read("no/such", 0..<0) } == "disk.missing")
        #expect(code { try store.delete("no/such") } == nil)
        #expect(try store.list("no/") == [] && store.list("") == [])
        #expect(try store.create("no/such", [1]))
        try store.delete("no/such")
        try store.delete("no/such")
        #expect(try !store.exists("no/such") && store.list("no/") == [])
        #expect(try store.create("no/such", [2]), "the name is free again")
        #expect(try store.read("no/such") == [2])
    }

    @Test(arguments: kinds) func `names are listed by their bytes, as far as the next slash`(_ kind: Kind) throws {
        let store = kind.make(folder.path)
        let names = ["t/b", "t/a10", "t/a9", "t/Z", "t/ä", "t/z", "t/log/1", "t/log/2", "u", "t2/x", "t/a/deep/er"]
        for name in names { #expect(try store.create(name, [1])) }
        #expect(try store.list("t/") == ["t/Z", "t/a", "t/a10", "t/a9", "t/b", "t/log", "t/z", "t/ä"])
        #expect(try store.list("t/a") == ["t/a", "t/a10", "t/a9"])
        #expect(try store.list("t/log/") == ["t/log/1", "t/log/2"])
        #expect(try store.list("t") == ["t", "t2"])
        #expect(try store.list("") == ["t", "t2", "u"])
        #expect(try store.list("t/x") == [])
    }

    @Test(
        arguments: kinds,
        ["a b", " ", "100%", "%20", "a%2Fb", "größe", "日本語", "👩‍🔬", "a+b&c=d?e#f", "it's \"so\"", "a\\b", "..a", "-"])
    func `a name may have spaces, percent signs and any letters`(_ kind: Kind, _ part: String) throws {
        let store = kind.make(folder.path)
        let name = "\(part)/\(part).json"
        #expect(try store.create(name, [7]) && !store.create(name, [8]))
        #expect(try store.read(name) == [7])
        #expect(try store.list("\(part)/") == [name] && store.list("") == [part])
        #expect(try store.stamp(name)?.size == 1)
        try store.delete(name)
        #expect(try !store.exists(name))
    }

    @Test(arguments: kinds) func `engines get a path for each object, and copies go`(_ kind: Kind) throws {
        let store = kind.make(folder.path)
        // On the file system of the objects, as an engine writes it.
        #expect(try store.publish(try folder.write("made", [1, 2]), as: "data/one"))
        #expect(try store.create("data/two", [3]))
        let copies = folder.path + "/copies"
        var seen: [String] = []
        let read = try store.withFiles(of: ["data/one", "data/two"], copiesIn: copies) { paths in
            seen = paths
            return try paths.map { try Disk.read($0) }
        }
        #expect(read == [[1, 2], [3]])
        #expect(try Disk.list(copies) == [])
        if store.localPath("data/one") != nil {
            #expect(seen == ["data/one", "data/two"].compactMap(store.localPath))
        } else {
            #expect(seen.allSatisfy { !Disk.exists($0) })
        }
        #expect(
            code { try store.withFiles(of: ["none"], copiesIn: copies) { _ = try Disk.read($0[0]) } } == "disk.missing")
    }
}

@Suite struct `Objects on the local disk` {
    @Test func `unfinished files are no objects`() throws {
        let folder = try TemporaryFolder()
        let store = LocalObjectStore(folder.path)
        #expect(try store.create("log/a.json", [1]))
        try folder.write("log/.b.json.12-1.tmp", [2])
        #expect(try store.list("log/") == ["log/a.json"])
    }

    @Test func `a folder in the place of an object is told, not taken for nothing`() throws {
        let folder = try TemporaryFolder()
        let store = LocalObjectStore(folder.path)
        try Disk.makeDirectory(folder.path + "/log/a.json")
        #expect(throws: MartletError.self) { try store.exists("log/a.json") }
        #expect(try !store.create("log/a.json", [1]))
    }
}
