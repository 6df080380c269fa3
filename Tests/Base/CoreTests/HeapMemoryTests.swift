import Core
import Testing

@Suite struct `Memory that grows` {
    @Test(arguments: [1, 4096, 3 << 20]) func `keeps what is in it`(bytes: Int) {
        var memory = HeapMemory.allocate(bytes: bytes)
        defer { HeapMemory.free(memory) }
        memory.storeBytes(of: 7, toByteOffset: bytes - 1, as: UInt8.self)
        memory = HeapMemory.resize(memory, bytes: 8 * bytes)
        #expect(memory.load(fromByteOffset: bytes - 1, as: UInt8.self) == 7)
    }

    @Test func `keeps what stands beside whole pages that were discarded, and can be written again`() {
        let count = 1 << 20
        let memory = HeapMemory.allocate(bytes: count)
        defer { HeapMemory.free(memory) }
        memory.initializeMemory(as: UInt8.self, repeating: 7, count: count)
        let (start, end) = (100_000, 500_000)
        HeapMemory.discard(from: memory + start, to: memory + end)
        let bytes = UnsafeRawBufferPointer(start: memory, count: count)
        #expect(bytes[..<start].allSatisfy { $0 == 7 } && bytes[end...].allSatisfy { $0 == 7 })
        #if os(Linux)
            #expect(bytes[(start + 65_536)..<(end - 65_536)].allSatisfy { $0 == 0 })
        #endif
        memory.storeBytes(of: 9, toByteOffset: 300_000, as: UInt8.self)
        #expect(bytes[300_000] == 9)
        // Less than a page.
        HeapMemory.discard(from: memory, to: memory + 10)
        #expect(bytes[0] == 7)
    }
}
