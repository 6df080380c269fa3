import Core
import Foundation
import PredictionLog
import Storage
import TestSupport
import Testing

@Suite struct `What a killed writer left` {
    /// A segment of five records without the mark of its end, and where each of its records ends.
    private func segment(_ scratch: Scratch) async throws -> (path: String, bytes: [UInt8], ends: [Int]) {
        let log = try PredictionLog.open(folder: scratch.log, context: context)
        let number = try log.register(source)
        for item in 0..<5 { try await log.append(record("record-\(item)", number)) }
        let path = try #require(try scratch.segments.first)
        let bytes = try Disk.read(path)
        var ends: [Int] = []
        var reader = try PredictionLogReader(path)
        while try reader.next() != nil { ends.append(reader.offset) }
        try await log.shutDown()
        return (path, bytes, ends)
    }

    private func write(_ bytes: some Collection<UInt8>, to path: String) throws {
        Disk.remove(path)
        try Disk.append(path, Array(bytes))
    }

    @Test func `is cut off behind the last whole record, at every length`() async throws {
        let scratch = try Scratch()
        let (path, bytes, ends) = try await segment(scratch)
        #expect(ends.count == 5 && ends.last == bytes.count)
        for length in 0...bytes.count {
            try write(bytes[..<length], to: path)
            let recovery = try SegmentFolder(scratch.log).recover()
            let whole = ends.count { $0 <= length }
            #expect(recovery.records == whole, "cut at \(length)")
            if whole > 0 {
                #expect(recovery.tornBytes == length - ends[whole - 1], "cut at \(length)")
                #expect(try contents(path).map(\.requestID) == (0..<whole).map { "record-\($0)" })
                #expect(try SegmentFolder(scratch.log).closed().count == 1)
                #expect(try SegmentFolder(scratch.log).recover() == .init(), "the second time there is nothing to do")
            }
        }
    }

    @Test func `with zeros or old bytes behind it is cut off too`() async throws {
        let scratch = try Scratch()
        let (path, bytes, _) = try await segment(scratch)
        // Whole frames of another log: their checksums begin with another salt.
        let other = try Scratch()
        let foreign = try await segment(other).bytes[SegmentHeader.bytes...]
        for rest in [[UInt8](repeating: 0, count: 5000), Array(foreign), [UInt8](repeating: 0xFF, count: 77)] {
            try write(bytes + rest, to: path)
            let recovery = try SegmentFolder(scratch.log).recover()
            #expect(recovery.records == 5 && recovery.tornBytes == rest.count && recovery.tornFiles.isEmpty)
        }
    }

    @Test func `shows every flipped bit`() async throws {
        let scratch = try Scratch()
        let (path, bytes, ends) = try await segment(scratch)
        let whole = try contents(path)
        for place in SegmentHeader.bytes..<bytes.count {
            var changed = bytes
            changed[place] ^= 1 << (place % 8)
            try write(changed, to: path)
            let before = ends.count { $0 <= place }
            // As text: the features hold a NaN, which is not equal to itself.
            #expect(try contents(path).map { "\($0)" } == whole[..<before].map { "\($0)" })
        }
        // In the header: not read at all.
        for place in 0..<SegmentHeader.bytes {
            var changed = bytes
            changed[place] ^= 1 << (place % 8)
            try write(changed, to: path)
            #expect(throws: MartletError.self) { try PredictionLogReader(path) }
        }
    }

    @Test func `loses nothing to a damage in the middle`() async throws {
        let scratch = try Scratch()
        let (path, bytes, ends) = try await segment(scratch)
        var changed = bytes
        changed[ends[1] + 20] ^= 1
        try write(changed, to: path)
        let recovery = try SegmentFolder(scratch.log).recover()
        #expect(recovery.records == 2)
        let aside = try #require(recovery.tornFiles.first)
        let files = try SegmentFolder(scratch.log).tornFiles()
        #expect(files.map(\.path) == ["\(scratch.log)/\(aside)"] && files[0].bytes == Int64(changed.count - ends[1]))
        // What was set aside before is told by every log that is opened, until somebody takes it away.
        let log = try PredictionLog.open(folder: scratch.log, context: context)
        #expect(log.counters.tornFiles == 1 && log.counters.tornFileBytes == files[0].bytes)
        try await log.shutDown()
        #expect(try Disk.read("\(scratch.log)/\(aside)") == Array(changed[ends[1]...]))
    }

    @Test func `whose header is damaged is set aside`() async throws {
        let scratch = try Scratch()
        var (path, bytes, _) = try await segment(scratch)
        bytes[3] ^= 1
        try write(bytes, to: path)
        let recovery = try SegmentFolder(scratch.log).recover()
        #expect(try recovery.tornFiles.count == 1 && SegmentFolder(scratch.log).entries().isEmpty)
    }

    @Test func `is not taken for closed because of a successor that was never begun`() async throws {
        let scratch = try Scratch()
        let (path, bytes, ends) = try await segment(scratch)
        // As it is while it is written, beside the file of the next one before its header is whole.
        try write(bytes[..<(ends[4])], to: path)
        let next = path.replacingOccurrences(of: "00000001.segment", with: "00000002.segment")
        #expect(next != path)
        let other = try Scratch()
        let header = try await segment(other).bytes[..<SegmentHeader.bytes]
        for length in [0, SegmentHeader.bytes - 1] {
            try write(header.prefix(length), to: next)
            #expect(try SegmentFolder(scratch.log).closed() == [], "\(length) bytes of a header")
            #expect(try SegmentFolder(scratch.log).readable().map(\.path) == [path])
        }
        try write(header, to: next)
        #expect(try SegmentFolder(scratch.log).closed().map(\.path) == [path])
    }

    @Test func `is reported by the log that is opened`() async throws {
        let scratch = try Scratch()
        let (path, bytes, _) = try await segment(scratch)
        try write(bytes.dropLast(3), to: path)
        let log = try PredictionLog.open(folder: scratch.log, context: context)
        #expect(log.counters.recovery.records == 4 && log.counters.recovery.tornSegments == 1)
        try await log.append(record("next", try log.register(source)))
        try await log.shutDown()
        #expect(try everything(scratch.log).map(\.requestID).sorted() == ["next"] + (0..<4).map { "record-\($0)" })
    }
}
