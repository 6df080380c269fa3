import HTTPAPI
import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing

/// What becomes of clients that are slow, by a clock that is moved by hand.
@Suite struct ConnectionGuardTests {
    private struct Connection {
        let clock = VirtualClock()
        let metrics = ServerMetrics()
        let progress: ConnectionProgress
        let channel = EmbeddedChannel()

        init(_ change: (inout ConnectionTimeouts) -> Void = { _ in }) throws {
            progress = ConnectionProgress(clock: clock)
            var timeouts = ConnectionTimeouts()
            change(&timeouts)
            try channel.pipeline.syncOperations.addHandler(
                ConnectionGuard(progress: progress, timeouts: timeouts, metrics: metrics, most: 10, isSecure: false))
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        /// Time goes on, for the clock and for the event loop that looks at it.
        func pass(_ seconds: Double) {
            clock.advance(seconds: seconds)
            channel.embeddedEventLoop.advanceTime(by: .nanoseconds(Int64(seconds * 1e9)))
        }

        func send(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

        /// What the client was told.
        var answer: String {
            get throws {
                guard case .byteBuffer(let bytes)? = try channel.readOutbound(as: IOData.self) else { return "" }
                return String(buffer: bytes)
            }
        }
    }

    @Test func `a head has so many seconds in all, however it comes`() throws {
        let connection = try Connection { $0.head = 20 }
        for _ in 0..<4 {
            try connection.send("G")
            connection.pass(5)
        }
        #expect(connection.channel.isActive)
        connection.pass(3)
        #expect(try connection.answer.hasPrefix("HTTP/1.1 408 "))
        #expect(!connection.channel.isActive && connection.metrics.slowHead.load(ordering: .relaxed) == 1)
    }

    @Test func `a connection on which nothing was said ends without a word`() throws {
        let connection = try Connection { $0.head = 20 }
        connection.pass(19)
        #expect(connection.channel.isActive)
        connection.pass(4)
        #expect(try connection.answer == "" && !connection.channel.isActive)
    }

    @Test func `a body's time grows with its bytes`() throws {
        let connection = try Connection {
            $0.body = 20
            $0.bodyRate = 500
        }
        try connection.send("POST / HTTP/1.1\r\n\r\n")
        connection.progress.headEnded()
        for _ in 0..<10 {
            try connection.send(String(repeating: "x", count: 5000))
            connection.channel.pipeline.read()
            connection.pass(10)
        }
        #expect(connection.channel.isActive)
        connection.pass(23)
        #expect(try connection.answer.contains("more slowly than 500 bytes a second"))
        #expect(connection.metrics.slowBody.load(ordering: .relaxed) == 1)
    }

    @Test func `between requests it may rest for longer`() throws {
        let connection = try Connection { $0.idle = 75 }
        try connection.send("GET / HTTP/1.1\r\n\r\n")
        connection.progress.headEnded()
        connection.progress.requestEnded()
        connection.pass(1000)
        #expect(connection.channel.isActive, "the answer takes as long as it takes")
        connection.progress.rest()
        connection.pass(75)
        #expect(connection.channel.isActive)
        connection.pass(10)
        #expect(try connection.answer == "" && !connection.channel.isActive)
    }
}
