import Core
import Foundation
import PredictionLog
import Synchronization
import TestSupport

typealias Scratch = TemporaryFolder

extension TemporaryFolder {
    var log: String { path + "/predictions" }
    var segments: [String] { get throws { try SegmentFolder(log).entries().map(\.path) } }
}

/// Of tests in which no time passes.
let context = VirtualClock().context()

let source = PredictionSource(
    project: "lab", model: "delay", version: 3, signature: Digest(of: "signature"),
    columns: [.init(name: "age"), .init(name: "priority", levels: ["high", "low"]), .init(name: "load")])

func record(_ id: String, _ source: PredictionSourceNumber, features: [Double] = [1.5, 1, .nan]) -> PredictionRecord {
    PredictionRecord(
        requestID: id, entityID: "entity-\(id)", source: source, time: Timestamp(microseconds: 1_000_000),
        features: features, outcome: .binary(probability: 0.25, positive: false), latency: 12_345)
}

/// All records of all segments, in order.
func everything(_ folder: String) throws -> [LoggedPrediction] {
    try SegmentFolder(folder).readable().flatMap { try contents($0.path) }
}

func contents(_ path: String) throws -> [LoggedPrediction] {
    var reader = try PredictionLogReader(path)
    var found: [LoggedPrediction] = []
    while let next = try reader.next() { found.append(next) }
    return found
}

/// A disk that does what a test tells it.
final class TroubledDisk: SegmentDisk {
    struct Trouble {
        /// Bytes that may still be written.
        var room = Int.max
        var failsSync = false
        var failsWrite = false
        var failsFolderSync = false
        var free: Int64?
        var creations = 0
        /// Held by a test to keep the disk waiting.
        var writes = 0
        var syncs = 0
        var folderSyncs = 0
    }

    let trouble = Mutex(Trouble())
    let writing = Mutex(())
    let syncing = Mutex(())

    final class File: SegmentFile {
        let file: any SegmentFile
        let disk: TroubledDisk

        init(_ file: any SegmentFile, _ disk: TroubledDisk) {
            self.file = file
            self.disk = disk
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws {
            try disk.writing.withLock { _ in
                let (room, fails) = disk.trouble.withLock { trouble in
                    defer { trouble.room -= min(trouble.room, bytes.count) }
                    trouble.writes += 1
                    return (trouble.room, trouble.failsWrite)
                }
                if fails { throw MartletError(.machine, "disk.failed", "planted") }
                // A full disk takes what still fits.
                try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<min(room, bytes.count)]))
                if room < bytes.count { throw MartletError(.machine, "disk.full", "planted") }
            }
        }

        func sync() throws {
            try disk.syncing.withLock { _ in
                let fails = disk.trouble.withLock { trouble in
                    trouble.syncs += 1
                    defer { trouble.failsSync = false }
                    return trouble.failsSync
                }
                if fails { throw MartletError(.machine, "disk.failed", "planted") }
                try file.sync()
            }
        }

        func truncate(to size: Int) throws { try file.truncate(to: size) }
    }

    func create(_ path: String) throws -> any SegmentFile {
        trouble.withLock { $0.creations += 1 }
        return File(try RealDisk().create(path), self)
    }

    func freeBytes(_ folder: String) -> Int64? { trouble.withLock { $0.free } ?? RealDisk().freeBytes(folder) }

    func sync(folder: String) throws {
        let fails = trouble.withLock { trouble in
            trouble.folderSyncs += 1
            return trouble.failsFolderSync
        }
        if fails { throw MartletError(.machine, "disk.failed", "planted") }
        try RealDisk().sync(folder: folder)
    }
}

/// Counts what other threads tell.
final class Tally: Sendable {
    private let value = Mutex(0)

    var count: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
}
