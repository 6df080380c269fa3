internal import CLibrary
internal import Core
internal import Storage
internal import Synchronization

/// A child process with pipes for stdin, stdout and stderr.
///
/// Calls block, but `kill`; one thread may write while another reads.
///
/// ```swift
/// let process = try PipedProcess(program, arguments, environment: environment, file: file)
/// while case let bytes = process.read(1 << 16), !bytes.isEmpty { use(bytes) }
/// let (code, said) = process.end()
/// ```
package final class PipedProcess: Sendable {
    private struct State {
        var input: Int32
        var isReaped = false
    }

    /// Process id.
    package let id: Int32
    private let output: Int32
    private let errors: Int32
    private let state: Mutex<State>

    /// Starts a program in its own process group.
    /// - Parameters:
    ///   - environment: all that the child gets.
    ///   - file: becomes the child's file 3; it may be closed afterwards.
    /// - Throws: `job.start` when it does not start, and faults of the system.
    package init(
        _ program: String, _ arguments: [String], environment: [(String, String)], file: Int32? = nil
    ) throws {
        var ends: [Int32] = []
        for _ in 0..<3 {
            var pair: [Int32] = [-1, -1]
            guard pipe(&pair) == 0 else {
                let fault = Disk.failure("make", "a pipe")
                for end in ends { close(end) }
                throw fault
            }
            for end in pair { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            ends += pair
        }
        // A child that is gone is found out by what `write` gives.
        signal(SIGPIPE, SIG_IGN)
        let (theirs, ours) = ([ends[0], ends[3], ends[5]], [ends[1], ends[2], ends[4]])
        defer { for end in theirs { close(end) } }
        do {
            id = try SpawnedProcess.spawn(
                program, arguments, environment,
                [(0, theirs[0]), (1, theirs[1]), (2, theirs[2])] + (file.map { [(Int32(3), $0)] } ?? []))
        } catch {
            for end in ours { close(end) }
            throw error
        }
        _ = fcntl(ours[2], F_SETFL, fcntl(ours[2], F_GETFL) | O_NONBLOCK)
        state = Mutex(State(input: ours[0]))
        output = ours[1]
        errors = ours[2]
    }

    deinit {
        kill()
        _ = end()
        endInput()
        close(output)
        close(errors)
    }

    /// Writes all of the bytes to the child; `false` when it no longer reads.
    package func write(_ bytes: [UInt8]) -> Bool {
        let input = state.withLock { $0.input }
        guard input >= 0 else { return false }
        return bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = CLibrary.write(input, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { return false }
                done += count
            }
            return true
        }
    }

    /// Closes the child's stdin. Not while another thread writes.
    package func endInput() {
        let input = state.withLock { state in
            defer { state.input = -1 }
            return state.input
        }
        if input >= 0 { close(input) }
    }

    /// Reads from the child's stdout, at most this many bytes; empty when it has ended or closed it.
    package func read(_ most: Int) -> [UInt8] { Self.read(output, most) }

    /// Waits for the end of the child; returns its exit code, or the negative signal number, and the end of its stderr.
    ///
    /// At most 64 KiB of stderr.
    package func end() -> (code: Int32, said: [UInt8]) {
        var info = siginfo_t()
        // Looked at without reaping: until then its number cannot be another's, whom `kill` would hit.
        while !state.withLock({ $0.isReaped }), waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        let status: Int32? = state.withLock { state in
            guard !state.isReaped else { return nil }
            state.isReaped = true
            var status: Int32 = 0
            while waitpid(id, &status, 0) < 0 { if errno != EINTR { return nil } }
            return status
        }
        guard let status else { return (-1, []) }
        let signal = status & 0x7f
        return (signal == 0 ? status >> 8 & 0xff : -signal, Self.read(errors, 65_536))
    }

    /// Kills the child and its process group, if it runs; does not wait.
    package func kill() { state.withLock { if !$0.isReaped { killpg(id, SIGKILL) } } }

    private static func read(_ file: Int32, _ most: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            while true {
                let got = CLibrary.read(file, buffer.baseAddress, most)
                if got < 0, errno == EINTR { continue }
                count = max(0, got)
                return
            }
        }
    }
}
