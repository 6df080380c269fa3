#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Memory of the C library, which can grow where it lies: a large piece is moved by the system without a copy, so that
/// while it grows it does not take its old and its new size at once, as Swift's own does.
package enum HeapMemory {
    /// Ends the process when there is no memory, as Swift's own allocation does.
    package static func allocate(bytes: Int) -> UnsafeMutableRawPointer { checked(malloc(max(1, bytes))) }

    /// Keeps what is there, as far as it fits.
    package static func resize(_ memory: UnsafeMutableRawPointer, bytes: Int) -> UnsafeMutableRawPointer {
        checked(realloc(memory, max(1, bytes)))
    }

    package static func free(_ memory: UnsafeMutableRawPointer) {
        #if canImport(Glibc)
            Glibc.free(memory)
        #else
            Darwin.free(memory)
        #endif
    }

    /// Gives the whole pages between two addresses of a piece back to the system. What they held is lost; the piece can
    /// still be used, and resized, and must be freed.
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
