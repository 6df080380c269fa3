/// Memory for decoded texts, which stay where they are until the arena goes.
package struct TextArena {
    private final class Block {
        let memory: UnsafeMutableRawBufferPointer
        var used = 0
        init(_ size: Int) { memory = .allocate(byteCount: size, alignment: 16) }
        deinit { memory.deallocate() }
    }

    private var blocks: [Block] = []

    package init() {}

    /// Keeps a text. Sixteen more bytes can be read behind it.
    package mutating func keep(_ text: [UInt8]) -> SourceCell {
        if text.isEmpty { return SourceCell(nil, 0) }
        if blocks.last.map({ $0.memory.count - $0.used < text.count + 16 }) ?? true {
            blocks.append(Block(max(1 << 18, text.count + 16)))
        }
        guard let block = blocks.last, let base = block.memory.baseAddress else { return SourceCell(nil, 0) }
        let place = UnsafeMutableRawBufferPointer(rebasing: block.memory[block.used..<(block.used + text.count)])
        place.copyBytes(from: text)
        let start = base + block.used
        block.used += text.count
        return SourceCell(UnsafePointer(start.assumingMemoryBound(to: UInt8.self)), text.count)
    }
}
