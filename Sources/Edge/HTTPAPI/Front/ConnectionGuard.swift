internal import Core
internal import HTTPTypes
package import NIOCore
internal import Synchronization

/// Channel handler that limits the number of connections and closes slow ones.
///
/// It stands nearest to the client, behind TLS: refuses connections when there are too many, closes those whose client
/// is slow to send or to read, and takes no further request from a client that does not read its answers. A body that
/// has begun is read to its end all the same: many clients send all of it before they read.
///
/// The event loop wakes it at every tick; how long something took it reads from the clock of its ``ConnectionProgress``.
///
/// Invariant: what waits to be sent is bounded by the channel's high-water mark and one answer.
package final class ConnectionGuard: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = IOData
    package typealias OutboundOut = IOData

    private let progress: ConnectionProgress
    private let timeouts: ConnectionTimeouts
    private let metrics: ServerMetrics
    private var isRefused: Bool
    private let isSecure: Bool
    private var ticker: RepeatedTask?
    private var holdsRead = false
    private var isReading = false
    /// Uptime when the server read last, or began to.
    private var lastRead: Double
    /// Uptime when something of an answer was written while its request still came.
    private var lastWrite = -Double.infinity
    private var sent = 0
    private var seen: (sent: Int, received: Int, waiting: Int, at: Double)
    /// Whether the first line of the head that comes has ended.
    private var hasLine = false

    /// Makes the handler of one connection.
    /// - Parameter most: connections that may be open at the same time.
    package init(
        progress: ConnectionProgress, timeouts: ConnectionTimeouts, metrics: ServerMetrics, most: Int, isSecure: Bool
    ) {
        self.progress = progress
        self.timeouts = timeouts
        self.metrics = metrics
        self.isSecure = isSecure
        lastRead = progress.since
        seen = (sent: 0, received: 0, waiting: 0, at: progress.since)
        let open = metrics.connections.add(1, ordering: .relaxed).newValue
        isRefused = open > most
        metrics.accepted.add(1, ordering: .relaxed)
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((guard: self, context: context), eventLoop: context.eventLoop)
        let tick = TimeAmount.nanoseconds(Int64(timeouts.tick * 1e9))
        ticker = context.eventLoop.scheduleRepeatedTask(initialDelay: tick, delay: tick) { _ in
            let (guarding, context) = bound.value
            guarding.look(context)
        }
        if context.channel.isActive { turnAway(context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        ticker?.cancel()
        ticker = nil
        metrics.connections.subtract(1, ordering: .relaxed)
    }

    package func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        turnAway(context)
    }

    private func turnAway(_ context: ChannelHandlerContext) {
        guard isRefused else { return }
        metrics.connectionsRefused.add(1, ordering: .relaxed)
        // Behind TLS the client cannot be told before both sides have agreed on keys, which is what there is no room for.
        if isSecure { return context.close(promise: nil) }
        say(
            .serviceUnavailable, "server.busy", "Too many connections are open; try again in a moment.",
            retryAfter: 1, context)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isRefused || progress.isOver { return }
        isReading = false
        lastRead = progress.clock.uptime()
        let bytes = unwrapInboundIn(data)
        progress.came(bytes.readableBytes)
        if progress.phase == .head {
            let goesOn = progress.headBytes > bytes.readableBytes
            hasLine = hasLine && goesOn || bytes.readableBytesView.contains(10)
            // No head ends with this: the parser need not see it.
            if !hasLine, progress.headBytes > HeadRefusal.mostBytes { return refuseHead(context) }
        }
        context.fireChannelRead(data)
        if progress.phase == .head, progress.headBytes > HeadRefusal.mostBytes { refuseHead(context) }
    }

    private func refuseHead(_ context: ChannelHandlerContext) {
        if progress.isOver || progress.isLingering { return }
        isRefused = true
        if progress.hasAnswer || progress.elsewhere > 0 { return context.close(promise: nil) }
        progress.hasAnswer = true
        (hasLine ? HeadRefusal.tooLarge : .longLine).send(context, reading: progress)
    }

    package func read(context: ChannelHandlerContext) {
        if context.channel.isWritable || progress.isUploading || progress.isLingering {
            isReading = true
            context.read()
        } else {
            holdsRead = true
        }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if holdsRead, context.channel.isWritable {
            holdsRead = false
            isReading = true
            context.read()
        }
        context.fireChannelWritabilityChanged()
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        sent &+= unwrapOutboundIn(data).readableBytes
        if progress.isUploading { lastWrite = progress.clock.uptime() }
        context.write(data, promise: promise)
    }

    /// Whether the client is too slow.
    private func look(_ context: ChannelHandlerContext) {
        let now = progress.clock.uptime()
        if isStuck(context, now) {
            metrics.slowReader.add(1, ordering: .relaxed)
            return context.close(promise: nil)
        }
        // What still comes is thrown away, for a time of its own.
        if progress.isOver || progress.isLingering { return }
        let age = now - progress.since
        switch progress.phase {
        case .answering: break
        case .idle: if age > timeouts.idle { context.close(promise: nil) }
        case .head:
            if age > timeouts.head {
                // A client that opens connections before it needs them would take a refusal for its next answer.
                if progress.received == 0 { return context.close(promise: nil) }
                metrics.slowHead.add(1, ordering: .relaxed)
                sayTooSlow("The head of the request did not come within \(Int(timeouts.head)) s.", context)
            }
        case .body:
            // While the server does not read, the client cannot send; but a body that nobody reads any more has no end.
            if !isReading {
                if isAbandoned(now) {
                    metrics.slowReader.add(1, ordering: .relaxed)
                    return context.close(promise: nil)
                }
                return progress.since += timeouts.tick
            }
            // A small body is awaited for a fixed time: it takes nobody long, and many could wait.
            if age > timeouts.body + (progress.isAwaited ? 0 : Double(progress.bytes) / timeouts.bodyRate) {
                metrics.slowBody.add(1, ordering: .relaxed)
                sayTooSlow(
                    progress.isAwaited
                        ? "The body did not come within \(Int(timeouts.body)) s."
                        : "The body came more slowly than \(Int(timeouts.bodyRate)) bytes a second.", context)
            }
        }
    }

    /// Whether the server has neither read nor answered for so long that it will not any more.
    private func isAbandoned(_ now: Double) -> Bool {
        now - max(lastRead, lastWrite) > max(timeouts.held, timeouts.write)
    }

    /// Whether nothing of what waits has left for too long, and nothing has come either.
    private func isStuck(_ context: ChannelHandlerContext, _ now: Double) -> Bool {
        let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        // Who sends is not stuck, and cannot send while the server does not read: a batch that waits has limits of its own.
        let comes = progress.received &- seen.received >= Int(timeouts.bodyRate * timeouts.write)
        let isHeld = progress.isUploading && !isReading && !isAbandoned(now)
        if waiting == 0 || waiting != seen.waiting || sent != seen.sent || comes || isHeld {
            seen = (sent, progress.received, waiting, now)
        }
        return now - seen.at > timeouts.write
    }

    private func sayTooSlow(_ detail: String, _ context: ChannelHandlerContext) {
        // What is said now would stand for the answer to an earlier request.
        if progress.hasAnswer || progress.elsewhere > (progress.phase == .body ? 1 : 0) {
            return context.close(promise: nil)
        }
        say(.requestTimeout, "request.slow", detail, retryAfter: nil, context)
    }

    /// Answers past the router, and ends the connection.
    private func say(
        _ status: HTTPResponse.Status, _ code: String, _ detail: String, retryAfter: Int?,
        _ context: ChannelHandlerContext
    ) {
        progress.hasAnswer = true
        HeadRefusal(status, code, detail, retryAfter: retryAfter).send(context)
    }
}
