internal import CLibrary
package import Core
internal import Storage

/// A child process that exchanges lines over stdin and stdout; its stderr goes to a file.
///
/// Calls block. Used by one thread.
///
/// ```swift
/// guard child.send(request, within: 30), let answer = child.receive(within: 30) else { child.kill(); return }
/// ```
package final class MessageProcess {
    /// Process id.
    package let id: Int32
    private var input: Int32
    private var output: Int32
    private var unread: [UInt8] = []
    /// Where the search for the end of a line goes on.
    private var searched = 0
    private var hasEnded = false
    private let clock: any ExecutionClock

    /// Starts a program in its own process group.
    /// - Parameters:
    ///   - environment: all that the child gets.
    ///   - errors: the file that its standard error is added to.
    ///   - clock: by which it is waited for what the child says and takes.
    /// - Throws: `job.start` when it does not start, and faults of the disk.
    package init(
        _ program: String, _ arguments: [String], environment: [(String, String)], errors: String,
        clock: any ExecutionClock
    ) throws {
        self.clock = clock
        try Disk.makeDirectory(Disk.parent(of: errors))
        let log = open(errors, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard log >= 0 else { throw Disk.failure("write", errors) }
        defer { close(log) }
        var inward: [Int32] = [-1, -1]
        var outward: [Int32] = [-1, -1]
        guard pipe(&inward) == 0 else { throw Disk.failure("make", "a pipe") }
        guard pipe(&outward) == 0 else {
            for end in inward { close(end) }
            throw Disk.failure("make", "a pipe")
        }
        // A child that is gone is found out by what `write` gives.
        signal(SIGPIPE, SIG_IGN)
        for end in inward + outward { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // This side must be able to give up on a child that neither reads nor speaks.
        for end in [inward[1], outward[0]] { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
        defer {
            close(inward[0])
            close(outward[1])
        }
        do {
            id = try SpawnedProcess.spawn(
                program, arguments, environment, [(0, inward[0]), (1, outward[1]), (2, log)])
        } catch {
            close(inward[1])
            close(outward[0])
            throw error
        }
        input = inward[1]
        output = outward[0]
    }

    deinit { kill() }

    /// Writes a line to the child; `false` when it does not read it in time, or has ended.
    @available(*, noasync)
    package func send(_ line: [UInt8], within seconds: Double) -> Bool {
        guard input >= 0 else { return false }
        var rest = (line + [10])[...]
        let end = clock.uptime() + seconds
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                guard wait(for: input, toWrite: true, until: end) else { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// Returns the child's next line; `nil` when none comes in time, or it has ended. A time of 0 only checks.
    @available(*, noasync)
    package func receive(within seconds: Double) -> [UInt8]? {
        guard output >= 0 else { return nil }
        let end = clock.uptime() + seconds
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let place = unread[searched...].firstIndex(of: 10) {
                let line = Array(unread[..<place])
                unread.removeSubrange(...place)
                searched = 0
                return line
            }
            searched = unread.count
            let count = read(output, &buffer, buffer.count)
            if count > 0 {
                unread += buffer.prefix(count)
            } else if count == 0 {
                return nil
            } else if errno == EAGAIN {
                guard wait(for: output, toWrite: false, until: end) else { return nil }
            } else if errno != EINTR {
                return nil
            }
        }
    }

    /// Whether the child runs; one that has ended is reaped.
    package var isAlive: Bool {
        if hasEnded { return false }
        var status: Int32 = 0
        if waitpid(id, &status, WNOHANG) == id { hasEnded = true }
        return !hasEnded
    }

    /// Closes the child's input, so that it ends by itself.
    package func release() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// Kills the child and its process group.
    package func kill() {
        release()
        if output >= 0 { close(output) }
        output = -1
        guard !hasEnded else { return }
        killpg(id, SIGKILL)
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        hasEnded = true
    }

    private func wait(for file: Int32, toWrite: Bool, until end: Double) -> Bool {
        let left = end - clock.uptime()
        return left > 0 && clock.wait(for: file, toWrite: toWrite, seconds: left)
    }
}
