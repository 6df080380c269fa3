import Core
import Foundation

@testable import PredictionLog

/// Segments of a prediction log. The first byte: odd, the rest is the file after a header that is right; even, it is
/// payloads (a byte of length in eights, a byte of kind, the payload), which are framed with right checksums.
enum SegmentSurface {
    private static let header = SegmentHeader(
        log: "00112233445566778899aabbccddeeff", number: 1, begun: Timestamp(microseconds: 1_700_000_000_000_000))
    private static let path: String = {
        let folder = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        return "\(folder)/martlet-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
    }()
    private static let source: [UInt8] = {
        let source = PredictionSource(
            project: "p", model: "m", version: 1, signature: Digest(of: "s"), columns: [.init(name: "a")])
        return (try? Frame.source(source, number: 0)) ?? []
    }()

    static func run(_ input: UnsafeRawBufferPointer) {
        guard let mode = input.first else { return }
        let rest = Array(input.dropFirst())
        var frames = source
        var file: [UInt8] = []
        if mode & 1 == 0 {
            var at = 0
            while at + 2 <= rest.count {
                let length = 8 * max(1, Int(rest[at]))
                let end = min(rest.count, at + 2 + length - 1)
                var payload = [rest[at + 1]] + rest[(at + 2)..<end]
                payload += [UInt8](repeating: 0, count: length - payload.count)
                frames += Frame.bytes(UInt32(length)) + [0, 0, 0, 0] + payload
                at = end
            }
            frames.withUnsafeMutableBytes { Frame.seal($0, salt: header.salt) }
            file = header.encoded + frames
        } else {
            frames.withUnsafeMutableBytes { Frame.seal($0, salt: header.salt) }
            file = header.encoded + frames + rest
        }
        guard FileManager.default.createFile(atPath: path, contents: Data(file)) else { return }
        let (found, score) = read()
        demand(found == read().found, "a segment reads alike twice")
        plant(size: score)
    }

    private static func read() -> (found: [String], score: Double) {
        var found: [String] = []
        var score = 0.0
        do {
            var reader = try PredictionLogReader(path)
            while let record = try reader.next() {
                found.append("\(record)")
                score = max(score, record.outcome.score)
                demand(found.count < 10_000, "a small segment has few records")
            }
            found.append("\(try reader.tail()) \(reader.offset)")
        } catch {
            demand(error is MartletError, "only errors for people are thrown, not \(error)")
            found.append("\(error)")
        }
        return (found, score)
    }
}
