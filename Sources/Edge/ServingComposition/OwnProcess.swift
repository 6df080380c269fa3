internal import CLibrary
internal import Core
internal import HTTPAPI
internal import Storage

/// Reads this process's resource use from the operating system.
struct OwnProcess: Sendable {
    /// Seconds since 1970.
    let started: Double

    /// Bytes, virtual and resident; `nil` where the system does not tell.
    static func memory() -> (virtual: Int, resident: Int)? {
        #if os(Linux)
            let pages = (try? Disk.read("/proc/self/statm")).map { String(decoding: $0, as: UTF8.self) } ?? ""
            let counts = pages.split(separator: " ").compactMap { Int($0) }
            guard counts.count > 1 else { return nil }
            let size = sysconf(Int32(_SC_PAGESIZE))
            return (counts[0] * size, counts[1] * size)
        #else
            return nil
        #endif
    }

    func figures() -> ProcessFigures {
        var figures = ProcessFigures()
        figures.started = started
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
            getrusage(RUSAGE_SELF, &usage)
        #endif
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        figures.cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        var limit = rlimit()
        if Self.get(&limit) { figures.mostDescriptors = Int(clamping: limit.rlim_cur) }
        #if os(Linux)
            if let (virtual, resident) = Self.memory() {
                figures.virtualBytes = virtual
                figures.residentBytes = resident
            }
            // Without the one that the listing itself has open.
            figures.openDescriptors = max(0, ((try? Disk.list("/proc/self/fd").count) ?? 0) - 1)
        #endif
        return figures
    }

    /// A server may have as many connections as the system allows, not as many as a shell usually gets.
    static func raiseDescriptors() {
        var limit = rlimit()
        guard get(&limit) else { return }
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        _ = set(&limit)
    }

    /// Connections for which there are descriptors, beside those for files; where there are more clients, they are told so
    /// instead of nothing, and the server still opens its files.
    static func connections(upTo most: Int) -> Int {
        var limit = rlimit()
        guard get(&limit) else { return most }
        let reserve = 128
        return min(most, max(reserve / 2, Int(clamping: limit.rlim_cur) - reserve))
    }

    private static func get(_ limit: inout rlimit) -> Bool {
        #if canImport(Glibc)
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        #else
            getrlimit(RLIMIT_NOFILE, &limit) == 0
        #endif
    }

    private static func set(_ limit: inout rlimit) -> Bool {
        #if canImport(Glibc)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        #else
            setrlimit(RLIMIT_NOFILE, &limit) == 0
        #endif
    }
}
