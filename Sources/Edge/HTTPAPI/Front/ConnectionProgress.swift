package import Core
internal import NIOCore

/// Progress of a connection through its current request, shared by the connection's handlers.
package final class ConnectionProgress {
    enum Phase {
        /// Between requests; since when.
        case idle
        /// Some of a head has come.
        case head
        /// The head has come, and not yet all of the body.
        case body
        /// All of the request has come.
        case answering
    }

    let clock: any ExecutionClock
    var phase = Phase.head
    /// Uptime when the phase began; for `idle` and `answering` not later than that.
    var since: Double
    /// Bytes of the body so far, for its least rate.
    var bytes = 0
    /// Bytes of the head so far, as far as they came in pieces of their own.
    private(set) var headBytes = 0
    /// All bytes so far.
    private(set) var received = 0
    /// Whether an answer has begun, so that no other can be sent.
    var hasAnswer = false
    /// Requests that the router has not answered yet.
    var elsewhere = 0
    /// Whether the body is one of those that are awaited before anything is done: it has a fixed time.
    var isAwaited = false
    /// Whether the last answer has left before all of its body had come, the rest of which is thrown away.
    private(set) var isLingering = false
    /// Whether nothing of what comes is looked at any more.
    var isOver = false

    /// Seconds for which what still comes is thrown away behind the last answer.
    private static let longestLinger = TimeAmount.seconds(30)

    package init(clock: any ExecutionClock) {
        self.clock = clock
        since = clock.uptime()
    }

    /// Bytes have come.
    @inline(__always)
    func came(_ count: Int) {
        received &+= count
        if phase == .body {
            bytes += count
        } else if phase == .idle {
            phase = .head
            since = clock.uptime()
            headBytes = count
        } else {
            headBytes += count
        }
    }

    /// Whether the body still comes whose request the router is at work on, as its only one: what is answered meanwhile
    /// need not be read by a client that sends all of it first.
    var isUploading: Bool { phase == .body && elsewhere == 1 }

    /// Records that the request's head is complete.
    @inline(__always)
    package func headEnded() {
        // One that came behind another request begins its body's time now, where the head was not awaited.
        if phase != .head { since = clock.uptime() }
        phase = .body
        bytes = 0
        headBytes = 0
        isAwaited = false
        if elsewhere == 0 { hasAnswer = false }
    }

    /// Records that the request's body is complete.
    @inline(__always)
    package func requestEnded() { phase = .answering }

    /// An answer has left. Requests that came behind it are found when they are read.
    @inline(__always)
    func answered() { phase = .idle }

    /// Records that the connection is idle between requests.
    package func rest() {
        phase = .idle
        since = clock.uptime()
        hasAnswer = false
    }

    /// Ends the server's side, and reads on until the client ends its own: to close with bytes unread would make the
    /// system reset the connection, and the client would lose the last answer (RFC 9112, section 9.6).
    func linger(_ context: ChannelHandlerContext) {
        isLingering = true
        context.close(mode: .output, promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let end = context.eventLoop.scheduleTask(in: Self.longestLinger) { bound.value.close(promise: nil) }
        context.channel.closeFuture.whenComplete { _ in end.cancel() }
        context.read()
    }
}

/// Timeouts of a connection, in seconds.
package struct ConnectionTimeouts: Sendable {
    /// Seconds in which a request's head must be complete.
    package var head = 20.0
    /// Seconds in which a request's body must be complete, lengthened by `bodyRate`.
    package var body = 20.0
    /// Least rate of a body in bytes a second: each received byte adds 1/`bodyRate` seconds to `body`.
    package var bodyRate = 500.0
    /// Seconds after which a client that reads nothing of a waiting response is disconnected.
    package var write = 30.0
    /// Seconds for which the server may leave a body unread: longer than a batch waits for the log or for room.
    package var held = 45.0
    /// Seconds that a connection may be idle between requests.
    package var idle = 75.0

    package init() {}

    /// How often it is looked.
    var tick: Double { max(0.02, min(head, body, write, idle) / 8) }
}
