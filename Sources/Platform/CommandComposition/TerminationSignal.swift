internal import CLibrary
internal import Synchronization

/// Interruptible waiting for commands that run until they are stopped.
///
/// ```swift
/// TerminationSignal.begin()
/// repeat { printNewEvents() } while TerminationSignal.wait(milliseconds: 400)
/// ```
package enum TerminationSignal {
    private static let stopped = Atomic<Bool>(false)

    /// Makes SIGINT, SIGTERM and a closed output end `wait` instead of the process.
    package static func begin() {
        signal(SIGPIPE, SIG_IGN)
        // A parent may have handed down a mask that keeps them away.
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { _ in TerminationSignal.stopped.store(true, ordering: .relaxed) }
            sigaddset(&wanted, number)
        }
        sigprocmask(SIG_UNBLOCK, &wanted, nil)
    }

    /// Whether a signal asked the command to stop.
    package static var isOver: Bool { stopped.load(ordering: .relaxed) }

    /// Waits this long, or until a signal asks to stop; returns `false` then.
    package static func wait(milliseconds: Int32) -> Bool {
        // Asking for nothing, `poll` still answers when the reading end of a pipe is closed.
        var output = pollfd(fd: 1, events: 0, revents: 0)
        let answer = poll(&output, 1, milliseconds)
        let closed = Int16(POLLERR | POLLHUP | POLLNVAL)
        return !isOver && !(answer > 0 && output.revents & closed != 0)
    }
}
