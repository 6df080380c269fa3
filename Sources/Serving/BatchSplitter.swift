#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Cuts a stream of records into blocks at the ends of records, wherever the pieces end that it arrives in.
package struct BatchSplitter: Sendable {
    private let form: BatchForm
    private let blockBytes: Int
    private let recordBytes: Int
    private var held: [UInt8] = []
    /// How much of `held` was looked at.
    private var seen = 0
    /// Whether a quoted cell goes on behind what was looked at.
    private var isQuoted = false
    /// Behind the last end of a record.
    private var end = 0
    /// Bytes of the blocks that were cut.
    private var cut = 0

    /// - Parameters:
    ///   - blockBytes: a block is cut when there are so many.
    ///   - recordBytes: the most bytes of one record.
    package init(_ form: BatchForm, blockBytes: Int, recordBytes: Int) {
        self.form = form
        self.blockBytes = blockBytes
        self.recordBytes = recordBytes
    }

    /// Takes what arrived.
    /// - Throws: `serving.record-too-long`.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(InputFault) {
        held.append(contentsOf: bytes)
        held.withUnsafeBytes { look($0) }
        guard held.count - end <= recordBytes else {
            throw InputFault(
                .recordTooLong, at: "byte \(cut + end)",
                "A record is longer than \(recordBytes) bytes\(isQuoted ? ": a quote may not be closed." : ".")")
        }
    }

    /// A block of whole records, if there are enough bytes for one.
    package mutating func next() -> [UInt8]? { end >= blockBytes ? take() : nil }

    /// What is left when nothing follows: also a record without its end. Empty when there is nothing.
    /// - Throws: `serving.malformed` when a quoted cell is not closed.
    package mutating func rest() throws(InputFault) -> [UInt8] {
        if isQuoted { throw InputFault(.malformed, at: "byte \(cut + end)", "A quote is not closed in this record.") }
        end = held.count
        return take()
    }

    private mutating func take() -> [UInt8] {
        let tail = Array(held[end...])
        var block = held
        block.removeLast(block.count - end)
        cut += end
        held = tail
        seen = tail.count
        end = 0
        return block
    }

    private mutating func look(_ bytes: UnsafeRawBufferPointer) {
        defer { seen = bytes.count }
        guard let base = bytes.baseAddress, bytes.count > seen else { return }
        let count = bytes.count - seen
        if form == .jsonLines || (!isQuoted && memchr(base + seen, Int32(UInt8(ascii: "\"")), count) == nil) {
            var at = bytes.count
            while at > seen, bytes[at - 1] != 10 { at -= 1 }
            if at > seen { end = at }
            return
        }
        for at in seen..<bytes.count {
            if bytes[at] == UInt8(ascii: "\"") { isQuoted.toggle() }
            if bytes[at] == 10, !isQuoted { end = at + 1 }
        }
    }
}
