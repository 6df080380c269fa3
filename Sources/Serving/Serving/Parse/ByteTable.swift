internal import Core

/// Hash table from a fixed set of texts to their positions, searched by bytes without allocation.
///
/// Open addressing, at most half full.
struct ByteTable: Sendable {
    private let bytes: [UInt8]
    /// Where each text begins; one more than there are texts.
    private let starts: [Int32]
    /// Place of a text, or -1.
    private let cells: [Int32]
    private let mask: Int

    /// Of equal texts the first counts.
    init(_ texts: [String]) {
        var bytes: [UInt8] = []
        var starts: [Int32] = [0]
        for text in texts {
            bytes.append(contentsOf: text.utf8)
            starts.append(Int32(bytes.count))
        }
        var size = 4
        while size < texts.count * 2 { size *= 2 }
        var cells = [Int32](repeating: -1, count: size)
        for (place, text) in texts.enumerated() {
            let range = Int(starts[place])..<Int(starts[place + 1])
            var cell = bytes[range].withUnsafeBytes { Self.hash($0) } & (size - 1)
            while cells[cell] >= 0, !texts[Int(cells[cell])].isSameBytes(as: text) { cell = (cell + 1) & (size - 1) }
            if cells[cell] < 0 { cells[cell] = Int32(place) }
        }
        self.bytes = bytes
        self.starts = starts
        self.cells = cells
        mask = size - 1
    }

    /// The place of these bytes; `nil` if they are none of the texts.
    @inline(__always)
    func find(_ text: UnsafeRawBufferPointer) -> Int? {
        var cell = Self.hash(text) & mask
        while true {
            let place = Int(cells[cell])
            if place < 0 { return nil }
            if isAt(place, text) { return place }
            cell = (cell &+ 1) & mask
        }
    }

    /// Whether the text at this place is these bytes.
    @inline(__always)
    func isAt(_ place: Int, _ text: UnsafeRawBufferPointer) -> Bool {
        let start = Int(starts[place])
        guard Int(starts[place &+ 1]) &- start == text.count else { return false }
        return bytes.withUnsafeBufferPointer { bytes in
            for index in 0..<text.count where bytes[start &+ index] != text[index] { return false }
            return true
        }
    }

    /// FNV-1a.
    @inline(__always)
    private static func hash(_ text: UnsafeRawBufferPointer) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: hash ^ hash >> 29)
    }
}
