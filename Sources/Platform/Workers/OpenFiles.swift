internal import CLibrary
internal import Core
internal import Storage

#if canImport(Glibc)
    /// The limit of open files of this process.
    enum OpenFiles {
        /// Numbers above one, to all that are open and some more: other threads open files meanwhile, which get the lowest
        /// numbers that are free. To close one that is not open is no fault in a child's file actions.
        static func beyond(_ last: Int32) -> Range<Int32> {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let most = Int32(clamping: limit.rlim_cur)
            let open = ((try? Disk.list("/proc/self/fd")) ?? []).compactMap { Int32($0) }.max() ?? 4096
            return last + 1..<max(last + 1, min(most, open + 512))
        }
    }
#endif
