internal import CLibrary
package import Core
internal import Foundation
internal import Storage
internal import Synchronization

/// Operating system services: environment, account, memory, priorities, processes; the only place that uses them.
///
/// ```swift
/// let context = SystemPlatform.context()
/// let threads = SystemPlatform.environment("MARTLET_THREADS").flatMap(Int.init)
/// ```
package enum SystemPlatform {
    /// The real execution context: system clock, ids that sort by time, and secure random bytes.
    package static func context() -> ExecutionContext {
        ExecutionContext(clock: SystemClock(), newID: newID, randomBytes: randomBytes)
    }

    /// Configures failpoints from the environment; called before anything is written.
    package static func installFailpoints() {
        Failpoint.install(
            settings: environment("MARTLET_FAILPOINT"), log: environment("MARTLET_FAILPOINT_LOG"), clock: SystemClock())
    }

    /// Returns the user and system CPU seconds of this process.
    @Sendable package static func cpuSeconds() -> Double {
        Double(SystemClock.microseconds(CLOCK_PROCESS_CPUTIME_ID)) / 1e6
    }

    /// Returns the CPU seconds of this thread.
    package static func threadCPUSeconds() -> Double { Double(SystemClock.microseconds(CLOCK_THREAD_CPUTIME_ID)) / 1e6 }

    /// Makes the C library return large blocks to the system as soon as they are freed.
    ///
    /// Unless the environment says otherwise. By itself the C library keeps them, once there were some, and a server
    /// that has answered large requests stays several times as large as it need be.
    package static func returnLargeMemory() {
        #if canImport(Glibc)
            guard environment("MALLOC_MMAP_THRESHOLD_") == nil, environment("GLIBC_TUNABLES") == nil else { return }
            // <malloc.h> is not in Swift's module of the C library.
            guard let found = dlsym(nil, "mallopt") else { return }
            let mallopt = unsafeBitCast(found, to: (@convention(c) (Int32, Int32) -> Int32).self)
            let mmapThreshold: Int32 = -3
            _ = mallopt(mmapThreshold, 1 << 20)
        #endif
    }

    /// Returns free memory between used blocks to the system.
    package static func trimMemory() {
        #if canImport(Glibc)
            guard let found = dlsym(nil, "malloc_trim") else { return }
            _ = unsafeBitCast(found, to: (@convention(c) (Int) -> Int32).self)(0)
        #endif
    }

    /// 48 bits of milliseconds, then 80 random bits: ids sort by the time they were made.
    @Sendable private static func newID() -> String {
        var random = SystemRandomNumberGenerator()
        func hex(_ value: UInt64, _ digits: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
        }
        let milliseconds = UInt64(SystemClock.microseconds(CLOCK_REALTIME) / 1000) & 0xFFFF_FFFF_FFFF
        return hex(milliseconds, 12) + hex(random.next() & 0xFFFF, 4) + hex(random.next(), 16)
    }

    /// From the system's secure generator.
    @Sendable private static func randomBytes(_ count: Int) -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    /// The name of the account that this process runs as.
    package static let account: String = {
        guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else { return "uid \(geteuid())" }
        return String(cString: name)
    }()

    /// The value of an environment variable.
    package static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    /// All environment variables.
    package static var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// Environment that makes an SQL engine return memory as soon as it is free, for child processes of a server.
    package static let promptReturn = ["DUCKDB_JE_MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0"]
        .filter { environment($0.key) == nil }

    /// Returns the environment for a child process of this program.
    ///
    /// No other home than it is told, and no backtrace, which would keep it, and a core, for seconds: a crash is
    /// reported by its signal.
    package static func environmentOfChild(_ more: [String: String] = [:]) -> [(String, String)] {
        var variables = environment.merging(more) { _, new in new }
        variables["MARTLET_HOME"] = nil
        variables["SWIFT_BACKTRACE"] = "enable=no"
        return variables.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Host name, reduced to letters, digits and dots.
    package static var host: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, 255) == 0 else { return "localhost" }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let plain = name.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") }
        return plain.isEmpty ? "localhost" : plain
    }

    /// Memory in bytes that this process may use: the machine's, or its control group's where that is less.
    package static var memory: Int64? {
        let pages = Int64(sysconf(Int32(_SC_PHYS_PAGES)))
        let pageSize = Int64(sysconf(Int32(_SC_PAGESIZE)))
        let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"].compactMap { path in
            (try? Disk.read(path)).flatMap { Int64(String(decoding: $0.prefix { $0 >= 48 }, as: UTF8.self)) }
        }
        return ((pages > 0 && pageSize > 0 ? [pages * pageSize] : []) + limits).min()
    }

    /// Lowers the priority of this process (`nice`).
    package static func yieldToOthers() { _ = nice(10) }

    /// Lowers the priority of this thread (Linux only: elsewhere it would affect the whole process).
    package static func yieldThread() {
        #if os(Linux)
            _ = setpriority(__priority_which_t(0), 0, 10)
        #endif
    }

    /// Runs long work on a thread of low priority while this thread waits.
    @available(*, noasync)
    package static func yielding<T: Sendable>(_ work: @escaping @Sendable () throws -> T) throws -> T {
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Result<T, any Error>?>(nil)
        Thread.detachNewThread {
            yieldThread()
            let found = Result { try work() }
            result.withLock { $0 = found }
            done.signal()
        }
        done.wait()
        guard let found = result.withLock({ $0 }) else { throw CancellationError() }
        return try found.get()
    }

    /// Exits the process with a code.
    package static func end(_ code: Int32) -> Never { exit(code) }

    /// Path of the program's own file.
    package static var executable: String {
        #if canImport(Glibc)
            var buffer = [CChar](repeating: 0, count: 4097)
            let count = readlink("/proc/self/exe", &buffer, 4096)
            if count > 0 { return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) }
        #endif
        return Disk.absolute(CommandLine.arguments.first ?? "martlet")
    }

    /// Replaces this process by another program (exec).
    /// - Throws: `program.missing` when there is none that can be run.
    package static func become(_ program: String, _ arguments: [String]) throws -> Never {
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        words.append(nil)
        execv(program, words)
        let reason = String(cString: strerror(errno))
        for word in words { free(word) }
        throw MartletError(
            .machine, "program.missing", "The program \(program) cannot be started: \(reason).",
            remedy: "Install the whole of Martlet's folder, or run `make build`.")
    }

    /// Ignores SIGXFSZ, so that a write beyond the allowed file size is an error like a full disk.
    package static func ignoreFileSizeSignal() { signal(SIGXFSZ, SIG_IGN) }

    /// Sets the umask so that new files are readable by this account alone: 0600, and folders 0700.
    ///
    /// Whichever library of this process or its children writes them: they hold rows about people.
    package static func keepNewFilesToAccount() { umask(0o077) }

    /// Number of processors.
    package static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Restarts the program once with OpenMP set to passive waiting.
    ///
    /// OpenMP threads that wait by spinning make a busy machine many times slower. The runtime reads this setting when
    /// it is loaded, before `main`.
    package static func restartWithPassiveWaiting() {
        guard environment("OMP_WAIT_POLICY") == nil else { return }
        setenv("OMP_WAIT_POLICY", "passive", 1)
        setenv("GOMP_SPINCOUNT", "0", 0)
        #if canImport(Glibc)
            var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
            arguments.append(nil)
            execv("/proc/self/exe", arguments)
            // Still here: the program could not be started anew and goes on as it is.
            for argument in arguments { free(argument) }
        #endif
    }
}
