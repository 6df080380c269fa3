internal import CLibrary
internal import Foundation
internal import Synchronization

/// Stop requests by SIGTERM and SIGINT, waiting that they interrupt, and signal names.
///
/// ```swift
/// Signals.catchStop()
/// while Signals.stopRequests == 0 { Signals.wait(for: [], seconds: 1) }
/// ```
package enum Signals {
    private static let requests = Atomic<Int>(0)

    /// Number of SIGTERM and SIGINT received since `catchStop`.
    package static var stopRequests: Int { requests.load(ordering: .relaxed) }

    /// Makes SIGTERM and SIGINT count as stop requests instead of ending the process; they interrupt `wait`.
    package static func catchStop() {
        _ = stopRequests
        for number in [SIGTERM, SIGINT] {
            var action = sigaction()
            #if canImport(Glibc)
                action.__sigaction_handler.sa_handler = { _ in Signals.requests.add(1, ordering: .relaxed) }
            #else
                action.__sigaction_u.__sa_handler = { _ in Signals.requests.add(1, ordering: .relaxed) }
            #endif
            sigaction(number, &action, nil)
        }
        signal(SIGPIPE, SIG_IGN)
        // Whoever started this program may have had them blocked, and that is inherited.
        var both = sigset_t()
        sigemptyset(&both)
        sigaddset(&both, SIGTERM)
        sigaddset(&both, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &both, nil)
    }

    /// Makes the end of standard input count as a stop request too.
    package static func stopWhenInputEnds() {
        let thread = Thread {
            var buffer = [UInt8](repeating: 0, count: 256)
            while true {
                let count = read(0, &buffer, buffer.count)
                if count == 0 || (count < 0 && errno != EINTR) { break }
            }
            requests.add(1, ordering: .relaxed)
        }
        thread.name = "standard input"
        thread.start()
    }

    /// Waits until a descriptor is readable or closed, a signal comes, or the time is over.
    package static func wait(for descriptors: [Int32], seconds: Double) {
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        _ = poll(&entries, nfds_t(entries.count), Int32(max(0, seconds) * 1000))
    }

    /// Returns the name of a signal, "SIGSEGV", or its number when unknown.
    package static func name(_ number: Int32) -> String {
        switch number {
        case SIGABRT: "SIGABRT"
        case SIGALRM: "SIGALRM"
        case SIGBUS: "SIGBUS"
        case SIGFPE: "SIGFPE"
        case SIGHUP: "SIGHUP"
        case SIGILL: "SIGILL"
        case SIGINT: "SIGINT"
        case SIGKILL: "SIGKILL"
        case SIGPIPE: "SIGPIPE"
        case SIGQUIT: "SIGQUIT"
        case SIGSEGV: "SIGSEGV"
        case SIGSYS: "SIGSYS"
        case SIGTERM: "SIGTERM"
        case SIGTRAP: "SIGTRAP"
        case SIGXCPU: "SIGXCPU"
        case SIGXFSZ: "SIGXFSZ"
        default: "signal \(number)"
        }
    }
}
