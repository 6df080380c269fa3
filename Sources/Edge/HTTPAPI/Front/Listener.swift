internal import NIOCore
internal import Synchronization

/// The server's listening socket, which can stop accepting connections without resetting waiting ones.
///
/// ```swift
/// settings.listener = listener
/// await listener.refuseNew()  // at shutdown
/// ```
package final class Listener: Sendable {
    private let channel = Mutex<(any Channel)?>(nil)

    package init() {}

    func opened(_ channel: any Channel) { self.channel.withLock { $0 = channel } }

    /// Stops new connections; those in the system's accept queue are still served.
    ///
    /// Closing the socket at once would reset them, although their clients take them for open.
    ///
    /// A filter at the socket drops the first packet of new connections (SYN), so that their clients ask again a little
    /// later, when the socket is gone and another server may have the address. On systems without such filters it does
    /// nothing.
    package func refuseNew() async {
        #if os(Linux)
            guard let channel = channel.withLock({ $0 }), let options = channel as? any SocketOptionProvider else {
                return
            }
            // The filter sees the TCP header: byte 13 has the flags, bit 1 of it is SYN.
            let program = UnsafeMutablePointer<FilterStep>.allocate(capacity: 4)
            program[0] = FilterStep(code: 0x30, k: 13)
            program[1] = FilterStep(code: 0x45, whenTrue: 0, whenFalse: 1, k: 2)
            program[2] = FilterStep(code: 0x06, k: 0)
            program[3] = FilterStep(code: 0x06, k: 0xFFFF_FFFF)
            let filter = FilterProgram(count: 4, steps: UInt(bitPattern: program))
            // SO_ATTACH_FILTER
            try? await options.unsafeSetSocketOption(level: .socket, name: .init(rawValue: 26), value: filter).get()
            program.deallocate()
        #endif
    }
}

/// struct sock_filter.
private struct FilterStep {
    var code: UInt16
    var whenTrue: UInt8 = 0
    var whenFalse: UInt8 = 0
    var k: UInt32
}

/// struct sock_fprog; the address as a number, since the kernel has copied the steps when the call returns.
private struct FilterProgram: Sendable {
    var count: UInt16
    var steps: UInt
}
