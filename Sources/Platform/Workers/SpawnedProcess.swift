internal import CLibrary
internal import Core
internal import Registry
internal import Storage

/// The `JobProcess` of a child in its own process group, with a pipe for heartbeats.
///
/// Each heartbeat is a line, empty or a `JobProgress` in JSON.
final class SpawnedProcess: JobProcess {
    let id: Int32
    private(set) var descriptor: Int32
    private var unread: [UInt8] = []
    private var ended: ProcessExit?

    /// Number of the file on which the child gives heartbeats.
    static let watchdog: Int32 = 3

    /// Starts a program. What it prints, on standard output or standard error, is appended to `log`; its standard input
    /// is empty.
    init(
        _ program: String, _ arguments: [String], environment: [(String, String)], log: String
    ) throws {
        let streams = [
            (0, open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null"),
            (1, open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644), log),
        ]
        defer { for (_, file, _) in streams where file >= 0 { close(file) } }
        for (_, file, path) in streams where file < 0 { throw Disk.failure("write", path) }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Disk.failure("make", "a pipe") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
        }
        defer { close(ends[1]) }
        do {
            id = try Self.spawn(
                program, arguments, environment,
                streams.map { (Int32($0.0), $0.1) } + [(2, streams[1].1), (Self.watchdog, ends[1])])
        } catch {
            close(ends[0])
            throw error
        }
        descriptor = ends[0]
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    static func spawn(
        _ program: String, _ arguments: [String], _ environment: [(String, String)], _ files: [(Int32, Int32)]
    ) throws -> Int32 {
        #if canImport(Glibc)
            var attributes = posix_spawnattr_t()
            var actions = posix_spawn_file_actions_t()
        #else
            var attributes: posix_spawnattr_t?
            var actions: posix_spawn_file_actions_t?
        #endif
        posix_spawnattr_init(&attributes)
        posix_spawn_file_actions_init(&actions)
        defer {
            posix_spawnattr_destroy(&attributes)
            posix_spawn_file_actions_destroy(&actions)
        }
        // A group of its own, and none of the signal settings of this process.
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        var flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        for (target, file) in files { posix_spawn_file_actions_adddup2(&actions, file, target) }
        // Nothing else that is open here: a server's port and the connections of its clients would stay open with the
        // child, and not everything that opens files marks them.
        #if canImport(Glibc)
            for file in OpenFiles.beyond(files.map(\.0).max() ?? 2) {
                posix_spawn_file_actions_addclose(&actions, file)
            }
        #else
            flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
        #endif
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var words: [UnsafeMutablePointer<CChar>?] = (["martlet"] + arguments).map { strdup($0) } + [nil]
        var settings: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + settings { free(text) } }
        var id: pid_t = 0
        let failure = posix_spawn(&id, program, &actions, &attributes, &words, &settings)
        guard failure == 0 else {
            throw MartletError(
                .machine, "job.start",
                "The program \(program) could not be started: \(String(cString: strerror(failure))).")
        }
        return id
    }

    func heartbeats() -> [JobProgress?] {
        guard descriptor >= 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 {
                unread += buffer.prefix(count)
            } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
                close(descriptor)
                descriptor = -1
                break
            } else if errno == EAGAIN {
                break
            }
        }
        var found: [JobProgress?] = []
        while let end = unread.firstIndex(of: 10) {
            found.append(try? JSON.decode(JobProgress.self, from: unread[..<end]))
            unread.removeSubrange(...end)
        }
        return found
    }

    func memory() -> Int64? { ended == nil ? ProcessMemory.used(by: id) : nil }

    func exit() -> ProcessExit? {
        if let ended { return ended }
        var info = siginfo_t()
        // Looked at without reaping first: until then its number cannot be another's, and its group can be ended.
        guard waitid(P_PID, id_t(id), &info, WEXITED | WNOHANG | WNOWAIT) == 0, Self.processNumber(info) == id else {
            return nil
        }
        killpg(id, SIGKILL)
        var status: Int32 = 0
        var usage = rusage()
        while wait4(id, &status, 0, &usage) < 0, errno == EINTR {}
        let signal = status & 0x7f
        let cpu = [usage.ru_utime, usage.ru_stime].map { Double($0.tv_sec) + Double($0.tv_usec) / 1e6 }
        #if canImport(Glibc)
            let peak = Int64(usage.ru_maxrss) * 1024
        #else
            let peak = Int64(usage.ru_maxrss)
        #endif
        ended = ProcessExit(
            signal == 0 ? .code(status >> 8 & 0xff) : .signal(signal), peakMemory: peak, cpuSeconds: cpu[0] + cpu[1])
        return ended
    }

    func kill() { if ended == nil { killpg(id, SIGKILL) } }

    private static func processNumber(_ info: siginfo_t) -> Int32 {
        #if canImport(Glibc)
            info._sifields._kill.si_pid
        #else
            info.si_pid
        #endif
    }
}
