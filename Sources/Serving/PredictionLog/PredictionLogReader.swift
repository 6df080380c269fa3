internal import Core
internal import Storage

/// Sequential reader of one segment that verifies the checksum of each prediction.
///
/// ```swift
/// var reader = try PredictionLogReader(entry.path)
/// while let prediction = try reader.next() { print(prediction.requestID) }
/// ```
///
/// Safe while the segment is written: ``next()`` returns `nil` at the last whole record, and continues behind it when
/// called again later. Memory: a piece of 1 MiB, or of the largest record.
package struct PredictionLogReader {
    /// State of the bytes behind the last whole record.
    package enum Tail: Sendable, Equatable {
        /// The mark of a segment that was closed: nothing will come.
        case closed
        /// Nothing, or a record that is not all there: the segment is being written, or its writer was killed.
        case open
        /// Bytes that are no record, with whole records behind them: the file is damaged.
        case damaged
    }

    /// Path of the segment, as given to the initializer.
    package let path: String
    /// The segment's log, its number there and its start, read when the reader was made.
    package let header: SegmentHeader
    /// Offset in bytes of the end of the last whole frame.
    package private(set) var offset = SegmentHeader.bytes
    /// Number of predictions returned so far.
    package private(set) var records = 0
    /// Whether the end mark of a closed segment was read.
    package private(set) var isClosed = false
    /// The sources read so far, by their numbers in this segment.
    package private(set) var sources: [UInt16: PredictionSource] = [:]

    private let salt: UInt32
    private var piece: [UInt8] = []
    /// Where the next frame begins in `piece`.
    private var at = 0

    /// Opens a segment.
    /// - Throws: `predictions.segment` when it is no segment, `disk.missing` and `disk.read` as they come.
    package init(_ path: String) throws {
        self.path = path
        var head: [UInt8] = []
        try Disk.scan(path) { bytes in
            head += bytes.prefix(SegmentHeader.bytes - head.count)
            return head.count < SegmentHeader.bytes
        }
        guard let header = head.withUnsafeBytes({ SegmentHeader($0) }) else {
            throw MartletError(
                .input, "predictions.segment", "This is no segment of a prediction log, or its beginning is damaged.",
                at: .init(file: path))
        }
        self.header = header
        salt = header.salt
    }

    /// Returns the next prediction; `nil` when there is no whole one (yet).
    /// - Throws: `predictions.damaged` for a record whose checksum is right and whose content is not.
    package mutating func next() throws -> LoggedPrediction? {
        while !isClosed, let frame = try nextFrame() {
            let payload = piece.withUnsafeBytes { Array($0[frame].dropFirst(Frame.headBytes)) }
            let read = try payload.withUnsafeBytes { try take($0) }
            at = frame.upperBound
            offset += frame.count
            if let read {
                records += 1
                return read
            }
        }
        return nil
    }

    /// Reads to the end without decoding predictions.
    /// - Returns: the sources of the predictions, in the order in which they first came.
    package mutating func readSources() throws -> [PredictionSource] {
        while !isClosed, let frame = try nextFrame() {
            if Frame.Kind(rawValue: piece[frame.lowerBound + Frame.headBytes])?.isPrediction != true {
                let payload = piece.withUnsafeBytes { Array($0[frame].dropFirst(Frame.headBytes)) }
                _ = try payload.withUnsafeBytes { try take($0) }
            }
            at = frame.upperBound
            offset += frame.count
        }
        return sources.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Goes to the next whole frame without looking into it; `nil` when there is none.
    mutating func skip() throws -> Frame.Kind? {
        guard !isClosed, let frame = try nextFrame() else { return nil }
        let kind = Frame.Kind(rawValue: piece[frame.lowerBound + Frame.headBytes])
        at = frame.upperBound
        offset += frame.count
        isClosed = kind == .end
        if kind?.isPrediction == true { records += 1 }
        return kind ?? .source
    }

    /// Where the next whole frame stands in `piece`, after reading on as far as needed.
    private mutating func nextFrame() throws -> Range<Int>? {
        if let found = frameHere() { return found }
        // What is wrong and complete is read anew, should it have been looked at in the middle of a write.
        piece.removeSubrange(..<(cannotBecomeFrame ? piece.count : at))
        at = 0
        var found: Range<Int>?
        var seen = piece.count
        try Disk.scan(path, from: Int64(offset + piece.count)) { bytes in
            piece += bytes
            // A large frame is looked at again only when there is twice as much of it.
            guard piece.count >= 2 * seen || bytes.count < 1 << 20 else { return true }
            seen = piece.count
            found = frameHere()
            return found == nil && !cannotBecomeFrame
        }
        return found ?? frameHere()
    }

    private func frameHere() -> Range<Int>? {
        piece.withUnsafeBytes { bytes in
            Frame.length(UnsafeRawBufferPointer(rebasing: bytes[at...]), salt: salt).map { at..<(at + $0) }
        }
    }

    /// Whether what stands here has all its bytes and is wrong all the same.
    private var cannotBecomeFrame: Bool {
        guard piece.count - at >= 4 else { return false }
        let length = piece.withUnsafeBytes {
            Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
        }
        return length > Frame.mostBytes || piece.count - at >= Frame.headBytes + length
    }

    private mutating func take(_ payload: UnsafeRawBufferPointer) throws -> LoggedPrediction? {
        switch Frame.Kind(rawValue: payload[0]) {
        case .prediction, .predictionV1:
            if let read = LoggedPrediction(payload, sources: sources) { return read }
        case .source:
            let count = Int(UInt32(littleEndian: payload.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
            let number = UInt16(littleEndian: payload.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
            if 8 + count <= payload.count,
                let source = try? JSON.decode(PredictionSource.self, from: payload[8..<(8 + count)])
            {
                sources[number] = source
                return nil
            }
        case .end:
            isClosed = true
            return nil
        case nil: break
        }
        throw MartletError(
            .input, "predictions.damaged",
            "The record at byte \(offset) of the segment cannot be read, though its checksum is right.",
            at: .init(file: path), remedy: "It was written by a newer Martlet: update this one.")
    }

    /// Returns what stands behind the last whole record, as far as it has been read.
    package func tail() throws -> Tail {
        if isClosed { return .closed }
        var rest: [UInt8] = []
        try Disk.scan(path, from: Int64(offset)) {
            rest += $0
            return true
        }
        // Frames begin at multiples of eight.
        let salt = salt
        let holdsMore = rest.withUnsafeBytes { bytes in
            stride(from: 8, to: bytes.count, by: 8).contains {
                Frame.length(UnsafeRawBufferPointer(rebasing: bytes[$0...]), salt: salt) != nil
            }
        }
        return holdsMore ? .damaged : .open
    }
}
