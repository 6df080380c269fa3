internal import CLibrary
internal import Core
internal import DelimitedText
internal import Storage

/// Reads a text file in chunks of whole lines. A byte order mark of UTF-8 is passed over.
final class LineChunks {
    /// Whole lines in memory, sixteen more bytes readable behind them.
    ///
    /// Why `@unchecked Sendable` holds: nothing changes once it is made; the memory goes when the last reference does.
    final class Chunk: @unchecked Sendable {
        let text: UnsafeRawBufferPointer
        private let memory: UnsafeMutableRawBufferPointer

        /// Takes the memory over.
        init(_ memory: UnsafeMutableRawBufferPointer, _ range: Range<Int>) {
            self.memory = memory
            text = UnsafeRawBufferPointer(rebasing: memory[range])
        }

        deinit { memory.deallocate() }

        /// The next line that is not blank, from an offset on, without its line end; moves the offset behind it.
        func line(from at: inout Int) -> UnsafeRawBufferPointer? {
            guard let base = text.baseAddress else { return nil }
            while at < text.count {
                let start = at
                var end = text.count
                if let found = memchr(base + start, 10, text.count - start) {
                    end = UnsafeRawPointer(found) - base
                }
                at = end + 1
                var first = start
                while first < end, Self.isBlank(text[first]) { first += 1 }
                while end > first, Self.isBlank(text[end - 1]) { end -= 1 }
                if end > first { return UnsafeRawBufferPointer(rebasing: text[first..<end]) }
            }
            return nil
        }

        private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }

        func forEachLine(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
            var at = 0
            while let line = line(from: &at) { try body(line) }
        }
    }

    private let stream: ByteStream
    private let target: Int?
    private var rest: [UInt8] = []
    private var isAtEnd = false
    private var isAtStart = true

    /// - Parameter target: about how many bytes a chunk has; `nil` for all of the file in one.
    init(_ path: String, target: Int?) throws {
        stream = try FileRefusal.ofDamage { try ByteStream(path) }
        let size = Int(Disk.stamp(path)?.size ?? 0)
        guard let target else {
            self.target = nil
            return
        }
        // Chunks of about the same size, rather than a small one at the end.
        self.target = stream.packing == .none && size > target ? size / ((size + target - 1) / target) + 1 : target
    }

    /// The first bytes of the file.
    var head: [UInt8] { stream.head }
    var packing: String? { stream.packing == .none ? nil : "\(stream.packing)" }
    var isExhausted: Bool { isAtEnd && rest.isEmpty }

    /// A line is kept in memory to be quarantined.
    private static let longest = 1 << 30

    /// The next lines; `nil` when there are none left.
    func next() throws -> Chunk? {
        var capacity = max(target ?? 1 << 20, rest.count + 1)
        var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity + 16, alignment: 16)
        var isOurs = true
        defer { if isOurs { memory.deallocate() } }
        memory.copyBytes(from: rest)
        var count = rest.count
        rest = []
        while true {
            if !isAtEnd {
                let room = UnsafeMutableRawBufferPointer(rebasing: memory[count..<capacity])
                let found = try FileRefusal.ofDamage { try stream.read(into: room) }
                isAtEnd = count + found < capacity
                count += found
            }
            let start = isAtStart && memory[..<count].starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
            let end = isAtEnd ? count : target == nil ? nil : memory[..<count].lastIndex(of: 10).map { $0 + 1 }
            if let end {
                isAtStart = false
                rest = Array(memory[end..<count])
                guard end > start else { return nil }
                isOurs = false
                return Chunk(memory, start..<end)
            }
            if target != nil, count > Self.longest { throw FileRefusal("a line of it is longer than 1 GiB") }
            capacity *= 2
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity + 16, alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
            memory.deallocate()
            memory = larger
        }
    }
}
