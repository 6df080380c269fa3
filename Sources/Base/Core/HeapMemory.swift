internal import CLibrary

/// Allocates memory with the C library's `malloc` and `realloc`, which grow large blocks without a copy.
///
/// While such a block grows, it does not take its old and its new size at once, as Swift's own allocation does.
///
/// ```swift
/// var memory = HeapMemory.allocate(bytes: 1024)
/// memory = HeapMemory.resize(memory, bytes: 2048)
/// HeapMemory.free(memory)
/// ```
package enum HeapMemory {
    /// Allocates a block; ends the process when memory is exhausted, as Swift's own allocation does.
    package static func allocate(bytes: Int) -> UnsafeMutableRawPointer { checked(malloc(max(1, bytes))) }

    /// Resizes a block, keeping its content as far as it fits.
    package static func resize(_ memory: UnsafeMutableRawPointer, bytes: Int) -> UnsafeMutableRawPointer {
        checked(realloc(memory, max(1, bytes)))
    }

    /// Frees a block.
    package static func free(_ memory: UnsafeMutableRawPointer) {
        CLibrary.free(memory)
    }

    /// Returns whole memory pages between two addresses of a block to the operating system.
    ///
    /// Their content is lost; the block stays usable, can be resized, and must still be freed.
    package static func discard(from start: UnsafeMutableRawPointer, to end: UnsafeMutableRawPointer) {
        #if canImport(Glibc)
            let page = sysconf(Int32(_SC_PAGESIZE))
            guard page > 0 else { return }
            let first = start.alignedUp(toMultipleOf: page)
            let count = (end - first) / page * page
            if count > 0 { madvise(first, count, MADV_DONTNEED) }
        #endif
    }

    private static func checked(_ memory: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer {
        guard let memory else { abort() }
        return memory
    }
}
